import { Compile, type Validator } from 'typebox/schema';
import { Value } from 'typebox/value';
import { type Refusal, refuse } from '#gateway/refusal.ts';
import type { Call, Operation } from './operation.ts';

/** What is wrong with one value of a request. */
export interface InputError {
  readonly where: string;
  readonly message: string;
}

type Parts = Pick<Call, 'params' | 'query' | 'headers' | 'body'>;

const errorsMax = 20;

/** Checks the parts of requests by the schemas of an operation. Nothing is corrected silently: texts of numbers in queries apart. */
export function requestCheck(operation: Operation): (parts: Parts) => Parts | Refusal {
  const { params, query, headers, body } = operation;
  const checks = {
    params: params && Compile(params),
    query: query && Compile(query),
    headers: headers && Compile(headers),
    body: body?.kind === 'json' && !body.checkedByHandler && !body.raw ? Compile(body.schema) : undefined,
  };
  return (parts) => {
    const converted = { ...parts, query: query ? Value.Convert(query, parts.query) : undefined };
    const errors = (['params', 'query', 'headers', 'body'] as const).flatMap((part) =>
      errorsOf(checks[part], part, converted[part]),
    );
    return refusalOf(errors) ?? converted;
  };
}

/** Checks a body that the handler has parsed itself. */
export function bodyCheck(schema: object): (body: unknown) => Refusal | undefined {
  const check = Compile(schema);
  return (body) => refusalOf(errorsOf(check, 'body', body));
}

function refusalOf(errors: readonly InputError[]): Refusal | undefined {
  if (errors.length === 0) return undefined;
  const detail = `${errors[0]!.where} ${errors[0]!.message}`;
  return refuse('request_invalid', detail, { errors: errors.slice(0, errorsMax) });
}

function errorsOf(check: Validator | undefined, part: string, value: unknown): readonly InputError[] {
  if (!check || check.Check(value)) return [];
  const [, errors] = check.Errors(value);
  return errors.map(({ instancePath, message }) => ({
    where: `${part}${instancePath}`,
    // What a nested schema says of an unknown name is noise beside the message that names it.
    message,
  }));
}
