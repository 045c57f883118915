import Type from 'typebox';
import { sydneyMidnight } from '#shared/domain/days.ts';

export const Uuid = Type.String({
  pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
});

export const idempotencyKeyCharsMax = 200;

/** Printable ASCII: it stands in a header, and is kept with the submission. */
export const IdempotencyKey = Type.String({
  minLength: 1,
  maxLength: idempotencyKeyCharsMax,
  pattern: '^[!-~]+$',
  description:
    'A repetition with the same key and body is the same submission; with another body it is refused.',
});

export const Nearest = Type.Array(
  Type.Object({ holder: Type.String(), model: Type.String() }, { additionalProperties: false }),
  {
    description:
      'of a model that is not listed: what may have been meant, as the approved list writes it, the nearest first',
  },
);

export const ListSnapshot = Type.String({
  description: 'of a model that is not listed: the approved list on which it is not',
});

export const Time = (description: string) =>
  Type.Integer({ description: `${description}, epoch milliseconds` });

export const StatusSince = Type.Union([Time('receipt of the change that set the status'), Type.Null()], {
  description: 'null while the serial has no status',
});

/** From one day to another, Sydney's, as moments. */
export function receivedBetween(from: string | undefined, to: string | undefined) {
  return {
    ...(from === undefined ? {} : { receivedFrom: sydneyMidnight(from) }),
    ...(to === undefined ? {} : { receivedBefore: sydneyMidnight(to, 1) }),
  };
}

export const Day = (description: string) =>
  Type.String({ format: 'date', description: `${description}, a day in Sydney` });

const nameShape = { minLength: 1, maxLength: 200, pattern: '^(?=.*\\S)[^\\u0000-\\u001f\\u007f]+$' };

/** Text that people read: not blank, without control characters. */
export const named = (description: string) => Type.String({ ...nameShape, description });
export const Name = Type.String(nameShape);

export const Email = Type.String({ format: 'email', maxLength: 254 });

/** What there is to say of one row. */
export const FindingView = Type.Object(
  {
    record: Type.Integer({ description: 'number of the row, from 1, headings not counted' }),
    line: Type.Integer({
      description: 'physical line where the row begins, from 1; 0 where there is no file',
    }),
    effect: Type.Enum(['refused', 'remark'], {
      description: '`refused`: the row is not registered; `remark`: it is, and should be looked at',
    }),
    column: Type.String(),
    value: Type.String(),
    code: Type.String({ description: 'reason code' }),
    sentence: Type.String(),
    hint: Type.String(),
    nearest: Type.Optional(Nearest),
    snapshot: Type.Optional(ListSnapshot),
    first: Type.Optional(
      Type.Integer({ description: 'of a serial number that is repeated: the record that has it first' }),
    ),
  },
  { additionalProperties: false },
);

export const json = (schema: object): Readonly<Record<string, object>> => ({ 'application/json': schema });

/** The members that have a value. */
export function defined<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
