import { type ClaimRow, findingViews, latestAssessment } from '#gateway/claims/state.ts';
import type { StoredRuling } from '#gateway/ledger/rulings.ts';
import { hasFreeNote } from '#gateway/submissions/documents.ts';
import { remarkCodes } from '#gateway/submissions/findings.ts';
import { joinKey } from '#shared/base/keys.ts';
import { normalise } from '#shared/domain/normalise.ts';
import { resolutionOf } from '#shared/domain/rulings/ruling.ts';

/** One row that was received for a serial, with what became of it. */
export interface SerialRow {
  readonly holder_key: string;
  readonly holder: string;
  readonly series: string;
  readonly model: string;
  readonly serial: string;
  readonly supplier: string;
  readonly supplier_key: string;
  readonly account: string;
  readonly submission: string;
  readonly row: number;
  readonly batch: number;
  readonly partition: number;
  readonly origin: number;
  readonly action: string;
  readonly outcome: string;
  /** Number of the entry that the row made, 0 for none. */
  readonly entry: number;
  readonly status: string;
  readonly reason: string;
  readonly listing: string;
  readonly listing_note: string;
  readonly decision_note: string;
  /** Of a registration, codes of remarks; of a change, the text of its sender. */
  readonly note: string;
  readonly snapshot: string;
  readonly received_at: number;
}

export interface SubmissionFacts {
  readonly submission: string;
  readonly file_name: string;
  readonly channel: string;
  readonly rows: number;
  readonly body_sha256: string;
  readonly received_at: number;
}

export interface ExplainPorts {
  rows(product: string, serialKey: string): Promise<readonly SerialRow[]>;
  submissions(ids: readonly string[]): Promise<readonly SubmissionFacts[]>;
  claimsNaming(product: string, serialKey: string): Promise<readonly string[]>;
  claimRows(claim: string): Promise<readonly ClaimRow[]>;
  rulings(serialKey: string): Promise<readonly StoredRuling[]>;
  accountName(account: string): string;
}

export interface ExplainedRow {
  readonly submission?: string;
  readonly file_name?: string;
  readonly channel?: string;
  readonly row?: number;
  readonly batch?: number;
  readonly received_at: number;
  readonly account?: string;
  readonly account_name?: string;
  readonly supplier: string;
  readonly series: string;
  readonly model: string;
  readonly serial: string;
  readonly action: string;
  readonly outcome: string;
  readonly entry: number;
  readonly status: string;
  readonly reason: string;
  readonly note: string;
  readonly listing: string;
  readonly remarks: readonly string[];
  readonly snapshot: string;
  readonly partition: number;
  readonly origin: number;
}

export interface ExplainedHolder {
  readonly holder: string;
  readonly state: 'registered' | 'invalid' | 'none';
  readonly conflict: 'none' | 'open' | 'resolved';
  readonly rows: readonly ExplainedRow[];
}

export interface ExplainedClaim {
  readonly claim: string;
  readonly account?: string;
  readonly account_name?: string;
  readonly status: string;
  readonly decision: string;
  readonly submitted_at: number;
  /** Findings about this very serial. */
  readonly findings: readonly object[];
  readonly snapshot: string;
  readonly certificates?: {
    readonly accreditation_code: string;
    readonly year: number;
    readonly first_number: number;
    readonly last_number: number;
    readonly status: string;
  };
}

export interface Explanation {
  readonly product: string;
  readonly serial: string;
  readonly serial_key: string;
  readonly holders: readonly ExplainedHolder[];
  readonly claims: readonly ExplainedClaim[];
  readonly rulings: readonly object[];
}

/** Who asks: an account that sees its own, or `all` of it. */
export interface Reader {
  readonly account: string;
  readonly all: boolean;
  /** Which rows the reader may see at all. */
  readonly sees: (row: SerialRow) => boolean;
  /** What the reader is told of what became of a row. */
  readonly outcomeSeen: (outcome: string) => string;
}

/**
 * Everything that the ledger knows of a serial, in one answer: rows with their files, batches and lists, entries, claims and
 * certificates. SEC-1: the regulator sees all; an account its own rows and claims, and no other's submission.
 */
export async function explainSerial(
  ports: ExplainPorts,
  question: { readonly product: string; readonly serial: string; readonly reader: Reader },
): Promise<Explanation> {
  const { product, serial, reader } = question;
  const serialKey = normalise(serial);
  const { all } = reader;
  const [rows, claims, rulings] = await Promise.all([
    ports.rows(product, serialKey),
    explainedClaims(ports, product, serialKey, reader),
    all ? ports.rulings(serialKey) : [],
  ]);
  const visible = rows.filter(reader.sees);
  const ids = [...new Set(visible.map(({ submission }) => submission))];
  const files = new Map((await ports.submissions(ids)).map((file) => [file.submission, file]));
  const byHolder = Map.groupBy(visible, ({ holder_key }) => holder_key);
  return {
    product,
    serial,
    serial_key: serialKey,
    holders: [...byHolder.values()].map((own) => ({
      holder: own[0]!.holder,
      state: stateOf(own),
      conflict: all ? conflictOf(product, serialKey, own, rulings) : 'none',
      rows: own.map((row) => explainedRow(row, files.get(row.submission), reader, ports)),
    })),
    claims,
    rulings: rulings
      .filter((ruling) => ruling.product === product)
      .map(({ ruling, kind, account, received_at, reason, holder }) => ({
        ruling,
        kind,
        account,
        account_name: ports.accountName(account),
        received_at,
        reason,
        holder,
      })),
  };
}

function latestEntry(rows: readonly SerialRow[]): SerialRow | undefined {
  return rows.reduce<SerialRow | undefined>(
    (latest, row) => (row.entry > (latest?.entry ?? 0) ? row : latest),
    undefined,
  );
}

/** Changes of status make entries too, but say nothing of whether a serial is valid. */
function stateOf(rows: readonly SerialRow[]): ExplainedHolder['state'] {
  const latest = latestEntry(
    rows.filter(({ outcome }) => outcome === 'registered' || outcome === 'invalidated'),
  );
  if (!latest) return 'none';
  return latest.outcome === 'invalidated' ? 'invalid' : 'registered';
}

function conflictOf(
  product: string,
  serial_key: string,
  rows: readonly SerialRow[],
  rulings: readonly StoredRuling[],
): ExplainedHolder['conflict'] {
  const held = latestEntry(rows.filter(({ outcome }) => outcome === 'registered'));
  const held_by = held?.supplier_key ?? '';
  const refused = rows.filter(
    ({ outcome, supplier_key }) => outcome === 'conflict' && supplier_key !== held_by,
  );
  if (!held || refused.length === 0) return 'none';
  const disputed_by = refused.map(({ supplier_key }) => supplier_key);
  const dispute = { product, serial_key, holder_key: held.holder_key, held_by, disputed_by };
  return resolutionOf(rulings, dispute) ? 'resolved' : 'open';
}

function explainedRow(
  row: SerialRow,
  file: SubmissionFacts | undefined,
  reader: Reader,
  { accountName }: ExplainPorts,
): ExplainedRow {
  const { account, submission, holder_key: _, holder: __, supplier_key: ___, ...told } = row;
  const { note, listing_note, decision_note, outcome, row: place, batch, ...rest } = told;
  const isText = hasFreeNote(row.action);
  const facts = { ...rest, outcome: reader.outcomeSeen(outcome), note: isText ? note : '' };
  const remarks = remarkCodes({ note, listing_note, decision_note }, isText);
  if (!reader.all && account !== reader.account) return { ...facts, remarks };
  return {
    submission,
    file_name: file?.file_name ?? '',
    channel: file?.channel ?? '',
    row: place,
    batch,
    account,
    account_name: accountName(account),
    ...facts,
    remarks,
  };
}

async function explainedClaims(
  ports: ExplainPorts,
  product: string,
  serialKey: string,
  { account, all }: Reader,
): Promise<readonly ExplainedClaim[]> {
  const ids = await ports.claimsNaming(product, serialKey);
  const claims = await Promise.all(ids.map(async (id) => ({ id, rows: await ports.claimRows(id) })));
  return claims.flatMap(({ id, rows }) => {
    const claimed = rows.find(({ kind }) => kind === 'claim');
    const assessment = latestAssessment(rows);
    if (!claimed || !assessment || (!all && claimed.account !== account)) return [];
    return [explainedClaim(id, rows, assessment, serialKey, all, ports)];
  });
}

function explainedClaim(
  claim: string,
  rows: readonly ClaimRow[],
  assessment: ClaimRow,
  serialKey: string,
  all: boolean,
  { accountName }: ExplainPorts,
): ExplainedClaim {
  const latest = rows.findLast(({ decision }) => decision !== 'not_applied') ?? assessment;
  const about = assessment.findings.filter(
    ({ subject }) => joinKey(normalise(subject)) === joinKey(serialKey),
  );
  const { account } = rows.find(({ kind }) => kind === 'claim')!;
  return {
    claim,
    ...(all ? { account, account_name: accountName(account) } : {}),
    status: latest.status,
    decision: assessment.decision,
    submitted_at: rows[0]!.received_at,
    findings: findingViews(about, all),
    snapshot: assessment.snapshot,
    ...(assessment.first_number > 0
      ? {
          certificates: {
            accreditation_code: assessment.accreditation_code,
            year: assessment.certificate_year,
            first_number: assessment.first_number,
            last_number: assessment.last_number,
            status: latest.certificate_status,
          },
        }
      : {}),
  };
}
