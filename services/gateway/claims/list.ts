import type { Identity } from '#gateway/accounts/book.ts';
import type { ClaimFilter, ListedClaim } from '#gateway/ledger/claims.ts';
import { seesAllClaims } from './viewer.ts';

/** What is asked for; empty texts ask for all. */
export interface ClaimQuestion {
  readonly status: string;
  readonly certificateStatus: string;
  readonly file: string;
  readonly olderThanDays: number;
  readonly after: string;
  readonly limit: number;
}

export interface ClaimPage {
  readonly claims: readonly object[];
  readonly next?: string;
}

export interface ListPorts {
  list(filter: ClaimFilter): Promise<readonly ListedClaim[]>;
  readonly now: () => number;
}

const dayMs = 86_400_000;
const beginning = { submitted_at: -1, claim: '' };

/** One page of claims. SEC-1: an account is shown its own. */
export async function claimPage(
  ports: ListPorts,
  question: ClaimQuestion,
  { account }: Pick<Identity, 'account'>,
): Promise<ClaimPage> {
  const now = ports.now();
  const all = seesAllClaims(account);
  const rows = await ports.list({
    account: all ? '' : account.id,
    status: question.status,
    certificateStatus: question.certificateStatus,
    file: question.file,
    unchangedSince: now - question.olderThanDays * dayMs,
    after: placeOf(question.after) ?? beginning,
    limit: question.limit,
  });
  const last = rows.at(-1);
  return {
    claims: rows.map((row) => listedView(row, now, all)),
    ...(last && rows.length === question.limit ? { next: `${last.submitted_at}.${last.claim}` } : {}),
  };
}

/** The place after which a page begins. A text that is none begins at the beginning. */
function placeOf(text: string): ClaimFilter['after'] | undefined {
  const [, at, claim] = /^(\d{1,15})\.([0-9a-f-]{37})$/.exec(text) ?? [];
  return claim === undefined ? undefined : { submitted_at: Number(at), claim };
}

function listedView(row: ListedClaim, now: number, forRegulator: boolean): object {
  const { claim, account, file, record, ...shown } = row;
  return {
    id: claim,
    url: `/v1/claims/${claim}`,
    ...shown,
    ...(forRegulator ? { account } : {}),
    ...(file === '' ? {} : { file, record }),
    waiting_days: Math.max(0, Math.floor((now - row.since) / dayMs)),
  };
}
