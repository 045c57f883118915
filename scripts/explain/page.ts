import type {
  ExplainedClaim,
  ExplainedHolder,
  ExplainedRow,
  Explanation,
} from '#gateway/explanation/explain.ts';
import { findReason } from '#shared/domain/reasons.ts';

/** Everything known of a serial, as a page of text. */
export function explanationPage(explained: Explanation): string {
  const { product, serial, serial_key: key, holders, claims, rulings } = explained;
  const lines = [
    `${product} ${serial}${key === serial ? '' : ` (compared as ${key})`}`,
    '',
    ...(holders.length === 0
      ? ['The ledger has no row with this serial.', '']
      : holders.flatMap(holderLines)),
    ...(claims.length === 0 ? ['No claim names it.'] : ['Claims', ...claims.flatMap(claimLines)]),
    ...(rulings.length === 0 ? [] : ['', 'Rulings', ...rulings.map(rulingLine)]),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

function at(time: number): string {
  return new Date(time).toISOString();
}

function holderLines({ holder, state, conflict, rows }: ExplainedHolder): string[] {
  const dispute = conflict === 'none' ? '' : `, conflict between suppliers ${conflict}`;
  const standing = state === 'none' ? 'not registered' : state;
  return [`${holder || '(no holder)'}: ${standing}${dispute}`, ...rows.flatMap(rowLines), ''];
}

function rowLines(row: ExplainedRow): string[] {
  const entry = row.entry > 0 ? `entry ${row.entry}` : 'no entry';
  const notes = [row.listing, ...row.remarks].filter((note) => note !== '');
  return [
    `  ${at(row.received_at)}  ${row.action}: ${row.outcome}, ${entry}`,
    `      ${findReason(row.outcome)?.sentence ?? ''}${row.reason === '' ? '' : ` Reason: ${row.reason}.`}`,
    `      model ${row.model}${row.series === '' ? '' : `, series ${row.series}`}; supplier ${row.supplier}; sent by ${row.account_name || row.account || 'another account'}`,
    `      file ${row.file_name || '(no name)'}, row ${row.row}, submission ${row.submission}, batch ${row.batch}`,
    `      partition ${row.partition}, origin ${row.origin}; list ${row.snapshot || '(none)'}${notes.length === 0 ? '' : `; ${notes.join(', ')}`}`,
    ...(row.status === '' ? [] : [`      status ${row.status}`]),
  ];
}

function claimLines(claim: ExplainedClaim): string[] {
  const { certificates } = claim;
  const findings = claim.findings as readonly { code: string; effect: string; detail: string }[];
  return [
    `  ${claim.claim} of ${claim.account_name || claim.account}, ${at(claim.submitted_at)}: ${claim.decision}, now ${claim.status}`,
    ...findings.map(({ code, effect, detail }) => `      ${effect} ${code}: ${detail}`),
    ...(certificates
      ? [
          `      certificates ${certificates.accreditation_code} ${certificates.year} ${certificates.first_number}-${certificates.last_number}: ${certificates.status}`,
        ]
      : []),
    `      lists ${claim.snapshot || '(none)'}`,
  ];
}

function rulingLine(ruling: object): string {
  const { kind, received_at, reason, account_name, account, holder } = ruling as Record<string, string>;
  return `  ${at(Number(received_at))}  ${kind}${holder === '' ? '' : ` (${holder})`} by ${account_name || account}: ${reason}`;
}
