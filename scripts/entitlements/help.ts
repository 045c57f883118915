import { columns, inputColumns, reasonCatalogue } from '#shared/domain/entitlement/index.ts';

const width = 108;

function wrapped(text: string, indent: string): string {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(' ')) {
    if (line.length + word.length + 1 > width && line.trim() !== '') {
      lines.push(line.trimEnd());
      line = indent;
    }
    line += `${word} `;
  }
  return [...lines, line.trimEnd()].join('\n');
}

function entry(name: string, ...texts: readonly string[]): string {
  return [`  ${name}`, ...texts.map((text) => wrapped(text, '      '))].join('\n');
}

const usage = `Usage: npm run -s entitlements -- [options] FILE.csv
       npm run -s entitlements -- [options] -          (reads standard input)

Computes the certificates (STCs) of each row and writes CSV to standard output: the columns of the input as they
were, then the answer. Exact decimals, one rounding at the end; constant memory.`;

const input = `Input columns, in any order; those that are missing count as empty. Headings compare without case. Other columns
are passed through untouched; a heading that looks like a misspelling of a missing column is refused.`;

const outputs = [
  entry('outcome', 'eligible, ineligible (a rule refuses) or invalid (cannot be calculated).'),
  entry('stcs', 'Certificates: 0 when ineligible, empty when invalid.'),
  entry('unrounded', 'The exact product before the rounding; empty unless eligible.'),
  entry('annual_mwh', "One year's output without multiplier; empty for batteries and invalid rows."),
  entry('rule_set', 'Version of the rules, kind, and the day since when its figures hold.'),
  entry('rule_ids', 'The rules that made the figure, joined with ;'),
  entry('reasons', 'Every reason and note as "code (rule): message", in the order below, joined with "; ".'),
  entry('assumed', 'Facts not given and what was taken for them, as column=value, joined with ;'),
];

const options = `Options: readings that the sources leave open
  --anniversary included|excluded               the day a year later still is in time (TIME-3). Default: included
  --october-2007 any_time|twelve_months         the time limit of 6 October 2007 itself (TIME-2). Default: any_time
  --wind-hydro-periods shortened|unshortened    wind and hydro from 2027 (DEEM-6). Default: shortened
  --help                                        this text

Exit status: 0 when every row was answered, also with "invalid"; 2 when the file cannot be read, its heading is not
understood, or the output breaks off.`;

/** The text of --help: written from the columns and the catalogue themselves, so that it cannot fall behind. */
export function helpText(): string {
  const inputs = inputColumns.map((name) =>
    entry(name, columns[name].help, `Takes ${columns[name].expects}.`),
  );
  const reasons = reasonCatalogue.map(({ code, effect, meaning, advice }) =>
    entry(`${code} (${effect})`, `${meaning} ${advice}`),
  );
  return [
    usage,
    input,
    inputs.join('\n'),
    'Output columns',
    outputs.join('\n'),
    'Reasons, in precedence (invalid, refuse: ineligible, note: the figure stands)',
    reasons.join('\n'),
    options,
    '',
  ].join('\n\n');
}
