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

function escapeText(text: string): string {
  return text.replace(special, (character) => escapes[character] as string);
}

/**
 * Parameters as a form: unlike the URL it has no bound that thousands of serials would reach, and it stays out of
 * proxies' access logs. A form that repeats its boundary inside a value would be misread; 122 random bits see to that.
 */
export function formOf(params: Params): { readonly contentType: string; readonly body: Buffer } {
  const boundary = `ledger-${randomUUID()}`;
  let form = '';
  for (const [name, value] of Object.entries(params)) {
    form += `--${boundary}\r\nContent-Disposition: form-data; name="param_${name}"\r\n\r\n${formatParam(value)}\r\n`;
  }
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    body: Buffer.from(`${form}--${boundary}--\r\n`),
  };
}
