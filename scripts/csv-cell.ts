const needsQuotes = /[",\r\n]/;

/** A text as a cell of CSV: in quotation marks only where it must be. */
export function quotedCell(text: string): string {
  return needsQuotes.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
