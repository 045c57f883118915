import { isUtf8 } from 'node:buffer';
import Type from 'typebox';
import { bodyCheck } from '#gateway/http/check.ts';
import { type Refusal, refuse } from '#gateway/refusal.ts';
import { assert } from '#shared/base/errors.ts';
import { type CollectOptions, type Contents, RowCollector, rowsMaxDefault } from './collect.ts';
import { type DocumentKind, documentOf, documents, memberOf, products } from './documents.ts';

/** Longer texts are no serials, and no rows with a fault either: the body is something else. */
const textCharsMax = 2_000;

type JsonRow = Readonly<Record<string, string | undefined>>;

/** The schema of a body that holds rows of a kind: every member of every row is a text, and all but optional ones are there. */
export function rowsSchema(document: DocumentKind) {
  const members = document.layout.map((column) => {
    const text = Type.String({ maxLength: textCharsMax, description: column.heading });
    return [memberOf(column), column.optional ? Type.Optional(text) : text];
  });
  const Row = Type.Object(Object.fromEntries(members), { additionalProperties: false });
  const product = Type.Literal(document.product);
  const action = Type.Literal(document.action);
  return Type.Object(
    {
      product: document.product === 'panel' ? Type.Optional(product) : product,
      action: document.action === 'register' ? Type.Optional(action) : action,
      rows: Type.Array(Row, { minItems: 1 }),
    },
    { additionalProperties: false },
  );
}

const checks = new Map(documents.map((document) => [document, bodyCheck(rowsSchema(document))]));

/** The value that JSON bytes stand for. Bytes that are not UTF-8 are refused: nobody knows what they mean. */
export function parseJson(bytes: Buffer): { readonly value: unknown } | Refusal {
  if (!isUtf8(bytes)) return refuse('request_invalid', 'the body is not UTF-8 text');
  try {
    return { value: JSON.parse(bytes.toString('utf8')) };
  } catch (error) {
    return refuse('request_invalid', `the body is not JSON: ${(error as Error).message}`);
  }
}

/** What kind of rows a body says that it holds: panels to be registered unless said. */
export function bodyDocument(body: unknown): DocumentKind | Refusal {
  const given = body as { product?: unknown; action?: unknown } | null;
  return documentGiven(given?.product ?? 'panel', given?.action ?? 'register', 'body');
}

/** The kind of document that a request names, or what it should name. */
export function documentGiven(
  product: unknown,
  action: unknown,
  where: 'body' | 'query',
): DocumentKind | Refusal {
  if (!products.some((known) => known === product))
    return refuse('request_invalid', `${where}/product must be one of ${products.join(', ')}`);
  const possible = documents.filter((kind) => kind.product === product).map((kind) => kind.action);
  return (
    documentOf(String(product), String(action)) ??
    refuse(
      'request_invalid',
      `${where}/action must be one of ${possible.join(', ')} for the product ${product}`,
    )
  );
}

/** The rows of a body as batches, or why nothing of it is taken: a body that is not as described is refused whole (D6). */
export function readJson(body: unknown, document: DocumentKind, options: CollectOptions): Contents | Refusal {
  const limit = options.rowsMax ?? rowsMaxDefault;
  const given = (body as { rows?: unknown } | null)?.rows;
  if (Array.isArray(given) && given.length > limit)
    return refuse('too_many_rows', `there are ${given.length} rows, the limit is ${limit}`, {
      limit,
      count: given.length,
    });
  const check = checks.get(document);
  assert(check, `rows of the product ${document.product} are described`);
  const refusal = check(body);
  if (refusal) return refusal;

  const members = document.layout.map(memberOf);
  const headings = { cellOf: members.map((_, i) => i), width: members.length };
  const collector = new RowCollector(document, headings, options);
  for (const row of given as readonly JsonRow[])
    collector.add(
      members.map((member) => row[member] ?? ''),
      0,
    );
  return collector.finish();
}
