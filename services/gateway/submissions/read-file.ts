import { dialectOf, nameOf } from '#gateway/csv/dialect.ts';
import { readHeadings } from '#gateway/csv/headings.ts';
import { readRecords } from '#gateway/csv/records.ts';
import { decodeText, type Encoding } from '#gateway/csv/text.ts';
import { isRefusal, type Refusal, refuse } from '#gateway/refusal.ts';
import { type CollectOptions, type Contents, RowCollector } from './collect.ts';
import type { DocumentKind } from './documents.ts';

export interface FileContents extends Contents {
  readonly encoding: Encoding;
  readonly delimiter: 'comma' | 'semicolon' | 'tab';
}

/** Reads a whole CSV file into batches, or says why it is refused. Works in slices: other requests go on meanwhile. */
export async function readFile(
  bytes: Buffer,
  document: DocumentKind,
  options: CollectOptions,
): Promise<FileContents | Refusal> {
  const decoded = decodeText(bytes);
  if (isRefusal(decoded)) return decoded;
  const { text, encoding } = decoded;
  const dialect = dialectOf(text);

  const around = options.pause ? { ...dialect, pause: options.pause } : dialect;

  let collector: RowCollector | undefined;
  const refusal = await readRecords(text.slice(dialect.from), around, (cells, line) => {
    if (collector) return collector.add(cells, line);
    const headings = readHeadings(cells, document.layout, line);
    if (isRefusal(headings)) return headings;
    collector = new RowCollector(document, headings, options, encoding === 'Windows-1252');
    return undefined;
  });
  if (refusal) return refusal;
  const contents = collector?.finish() ?? refuse('file_empty');
  return isRefusal(contents) ? contents : { ...contents, encoding, delimiter: nameOf(dialect.delimiter) };
}
