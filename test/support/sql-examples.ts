/** A query of a document, with what it says that the query gives: tab-separated, headings first. */
export interface Example {
  /** The sentence before the query. */
  readonly about: string;
  readonly sql: string;
  readonly result: string;
}

/** Every query of a Markdown document, each with the block of text that follows it. */
export function examplesOf(markdown: string): readonly Example[] {
  const blocks = [...markdown.matchAll(/([^\n]*)\n\n```sql\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```/g)];
  const queries = markdown.split('```sql').length - 1;
  if (blocks.length !== queries) throw new Error(`${queries} queries, ${blocks.length} with a result`);
  return blocks.map(([, about, sql, result]) => ({
    about: about!.replace(/:$/, ''),
    sql: sql!.trim(),
    result: result!.trimEnd(),
  }));
}
