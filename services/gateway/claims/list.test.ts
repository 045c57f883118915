import { expect, test } from 'vitest';
import type { ClaimFilter, ListedClaim } from '#gateway/ledger/claims.ts';
import { identity } from '#test/support/claim-desk.ts';
import { type ClaimQuestion, claimPage } from './list.ts';

const dayMs = 86_400_000;
const now = 40 * dayMs;
const id = (n: number) => `${'0'.repeat(20)}-${String(n).padStart(16, '0')}`;

function listed(n: number, more: Partial<ListedClaim> = {}): ListedClaim {
  return {
    claim: id(n),
    account: 'agent',
    unit_kind: 'solar',
    state: 'NSW',
    status: 'approved',
    decision: 'approved',
    findings: [],
    certificates: 45,
    certificate_status: 'Pending audit',
    accreditation_code: 'SGUS00000001',
    certificate_year: 2026,
    first_number: 1,
    last_number: 45,
    file: '',
    record: 0,
    submitted_at: n,
    since: n * dayMs,
    ...more,
  };
}

const all: ClaimQuestion = {
  status: '',
  certificateStatus: '',
  file: '',
  olderThanDays: 0,
  after: '',
  limit: 2,
};

function ports(rows: readonly ListedClaim[]) {
  const asked: ClaimFilter[] = [];
  const list = async (filter: ClaimFilter) => {
    asked.push(filter);
    const { after, limit } = filter;
    return rows
      .filter(({ submitted_at, claim }) =>
        submitted_at === after.submitted_at ? claim > after.claim : submitted_at > after.submitted_at,
      )
      .slice(0, limit);
  };
  return { list, now: () => now, asked };
}

test('pages go through all claims, also through those of one moment', async () => {
  const rows = [1, 2, 3, 4, 5].map((n) => listed(n, { submitted_at: n < 4 ? 1 : n }));
  const memory = ports(rows);
  const found: unknown[] = [];
  for (let after = ''; ; ) {
    const { claims, next } = await claimPage(memory, { ...all, after }, identity('agent'));
    found.push(...claims.map((claim) => (claim as { id: string }).id));
    if (next === undefined) break;
    after = next;
  }
  expect(found).toEqual(rows.map(({ claim }) => claim));
});

test('an account asks for its own, the regulator for all (SEC-1)', async () => {
  const memory = ports([listed(1)]);
  const own = await claimPage(memory, all, identity('agent'));
  const whole = await claimPage(memory, all, identity('cer', 'regulator'));
  expect(memory.asked.map(({ account }) => account)).toEqual(['agent', '']);
  expect(own.claims[0]).not.toHaveProperty('account');
  expect(whole.claims[0]).toMatchObject({ account: 'agent' });
});

test('how long a claim has waited is told, and asked for, in days (J4)', async () => {
  const memory = ports([listed(1)]);
  const { claims } = await claimPage(memory, { ...all, olderThanDays: 28 }, identity('agent'));
  expect(claims[0]).toMatchObject({ waiting_days: 39 });
  expect(memory.asked[0]!.unchangedSince).toBe(12 * dayMs);
});
