import Type from 'typebox';

export const Uuid = Type.String({
  pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
});

/** Printable ASCII: it stands in a header, and is kept with the submission. */
export const IdempotencyKey = Type.String({
  minLength: 1,
  maxLength: 200,
  pattern: '^[!-~]+$',
  description:
    'A repetition with the same key and body is the same submission; with another body it is refused.',
});

export const Time = (description: string) =>
  Type.Integer({ description: `${description}, epoch milliseconds` });

export const json = (schema: object): Readonly<Record<string, object>> => ({ 'application/json': schema });
