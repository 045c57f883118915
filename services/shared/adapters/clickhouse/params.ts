import { randomUUID } from 'node:crypto';

export type Param = string | number | boolean | null | readonly Param[];
export type Params = Readonly<Record<string, Param>>;

/** The text of a value of `{name:Type}`, by the server's rules for escaped text. */
export function formatParam(value: Param): string {
  if (value === null) return '\\N';
  if (typeof value === 'string') return escapeText(value);
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (typeof value === 'number') return String(value);
  return `[${value.map(formatElement).join(',')}]`;
}

function formatElement(value: Param): string {
  if (value === null) return 'NULL';
  if (typeof value === 'string') return `'${escapeText(value)}'`;
  return formatParam(value);
}

const special = /[\\'\t\n\r\b\f\0]/g;
const escapes: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
  '\b': '\\b',
  '\f': '\\f',
  '\0': '\\0',
};

/** A text as a cell of tab-separated rows. */
export function escapeText(text: string): string {
  return text.replace(special, (character) => escapes[character] as string);
}

/** Rows that are sent with a query, and that it reads as a table of this name. */
export interface SentTable {
  readonly name: string;
  /** Columns as in CREATE TABLE. */
  readonly structure: string;
  /** Tab-separated, escaped as `escapeText` does. */
  readonly rows: Buffer;
}

export interface Form {
  readonly sql: string;
  readonly contentType: string;
  readonly body: Buffer;
}

/**
 * Parameters as a form: it stays out of proxies' access logs, and has no bound as a whole. The server bounds each field
 * (128 KiB, not to be changed by a query), so a long list goes as several, put together again in the statement. A form
 * that repeats its boundary inside a value would be misread; 122 random bits see to that.
 */
export function formOf(sql: string, params: Params, tables: readonly SentTable[] = []): Form {
  const boundary = `ledger-${randomUUID()}`;
  let statement = sql;
  let form = '';
  for (const [name, value] of Object.entries(params)) {
    const texts = fieldsOf(value);
    if (texts.length > 1) statement = inParts(statement, name, texts.length);
    for (const [index, text] of texts.entries()) {
      const field = texts.length > 1 ? partName(name, index) : name;
      form += `--${boundary}\r\nContent-Disposition: form-data; name="param_${field}"\r\n\r\n${text}\r\n`;
    }
  }
  const files = tables.flatMap(({ name, structure, rows }) => [
    Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}_structure"\r\n\r\n${structure}\r\n` +
        `--${boundary}\r\nContent-Disposition: form-data; name="${name}"; filename="${name}"\r\n\r\n`,
    ),
    rows,
    Buffer.from('\r\n'),
  ]);
  return {
    sql: statement,
    contentType: `multipart/form-data; boundary=${boundary}`,
    body: Buffer.concat([Buffer.from(form), ...files, Buffer.from(`--${boundary}--\r\n`)]),
  };
}

const fieldBytesMax = 100_000;

/** One text, or those of the parts of a list that is too long for one field. */
function fieldsOf(value: Param): readonly string[] {
  const text = formatParam(value);
  if (!isList(value) || Buffer.byteLength(text) <= fieldBytesMax) return [text];
  const parts: string[] = [];
  let elements: string[] = [];
  let bytes = 0;
  for (const element of value.map(formatElement)) {
    const more = Buffer.byteLength(element) + 1;
    if (bytes + more > fieldBytesMax && elements.length > 0) {
      parts.push(`[${elements.join(',')}]`);
      elements = [];
      bytes = 0;
    }
    elements.push(element);
    bytes += more;
  }
  return [...parts, `[${elements.join(',')}]`];
}

function isList(value: Param): value is readonly Param[] {
  return Array.isArray(value);
}

const partName = (name: string, index: number): string => `${name}__${index}`;

/** `{keys:Array(String)}` becomes `arrayConcat({keys__0:Array(String)},...)`, which the server folds to the same constant. */
function inParts(sql: string, name: string, count: number): string {
  return sql.replace(new RegExp(`\\{\\s*${name}\\s*:([^{}]+)\\}`, 'g'), (_, type: string) => {
    const parts = Array.from({ length: count }, (__, index) => `{${partName(name, index)}:${type}}`);
    return `arrayConcat(${parts.join(',')})`;
  });
}
