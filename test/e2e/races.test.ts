import { afterAll, beforeAll, expect, it } from 'vitest';
import { GatewayClient, until } from '#scripts/demo/client.ts';
import {
  final,
  panelFile,
  type StatusView,
  startTestFleet,
  type TestFleet,
  uniquePrefix,
} from '#test/support/fleet.ts';

/** Duplicates and conflicts while everything is under way at once: two gateways that share nothing but the log. */
const supplier = 'Racing Imports Pty Ltd';
const rival = 'Rival Imports Pty Ltd';
const rows = 1_000;

let test: TestFleet;
/** Each account at both gateways. */
let ours: readonly GatewayClient[];
let theirs: readonly GatewayClient[];
let regulator: GatewayClient;

interface Entry {
  readonly holder: string;
  readonly supplier: string;
  readonly state: string;
  readonly entry: number;
  readonly remarks: readonly string[];
}
interface Answer {
  readonly serial: string;
  readonly state: string;
  readonly entries: readonly Entry[];
}

beforeAll(async () => {
  test = await startTestFleet({ instances: { gateway: 2 } });
  const urls = test.fleet.services.flatMap(({ addresses }) => addresses.http ?? []);
  expect(urls).toHaveLength(2);
  const member = async (name: string) => {
    const { id } = await test.operator.post<{ id: string }>('/v1/accounts', { name, kind: 'supplier' });
    const { key } = await test.operator.post<{ key: string }>(`/v1/accounts/${id}/keys`, { label: 'test' });
    const clients = urls.map((url) => new GatewayClient(url, key));
    for (const client of clients)
      await until(
        'the key',
        () =>
          client.get('/v1/me').then(
            () => true,
            () => false,
          ),
        (known) => known,
        30_000,
      );
    return clients;
  };
  ours = await member(supplier);
  theirs = await member(rival);
  regulator = await test.account('Regulator', 'regulator');
});
afterAll(() => test?.stop());

const sum = (all: readonly StatusView[], outcome: string) =>
  all.reduce((total, { outcomes }) => total + (outcomes[outcome] ?? 0), 0);

/** Sends all at the same time, and waits until all are final and balance. */
async function sent(
  ...uploads: readonly { client: GatewayClient; csv: string; action?: string }[]
): Promise<readonly StatusView[]> {
  const accepted = await Promise.all(
    uploads.map(({ client, csv, action = 'register' }) =>
      client.upload<{ id: string }>(`/v1/submissions?action=${action}`, csv),
    ),
  );
  const all = await Promise.all(accepted.map(({ id }, i) => final(uploads[i]!.client, id)));
  for (const { imbalance } of all) expect(imbalance).toBe(0);
  return all;
}

/** The regulator's look-up, once the ledger has caught up with the question. */
async function lookedUp(serials: readonly string[]): Promise<readonly Answer[]> {
  const { answers } = await until(
    'the look-up',
    () => regulator.post<{ answers: readonly Answer[] }>('/v1/serials/lookup', { product: 'panel', serials }),
    (reply) => reply.answers.every(({ state }) => state !== 'not_yet'),
    60_000,
  );
  return answers;
}

const serialsOf = (prefix: string) =>
  Array.from({ length: rows }, (_, i) => `${prefix}${String(i).padStart(8, '0')}`);

const marking = (csv: string) =>
  csv
    .trimEnd()
    .split('\n')
    .map((line, i) => `${line},${i === 0 ? 'Reason' : 'serial_wrong'}`)
    .join('\n');

it('the same file at two gateways at once: each serial is registered once, the rest are duplicates', async () => {
  const prefix = uniquePrefix();
  const csv = panelFile(supplier, test.models, { rows, prefix });
  const all = await sent(...ours.map((client) => ({ client, csv })));
  const different = [...new Map(all.map((status) => [status.id, status])).values()];
  expect(sum(different, 'registered')).toBe(rows);
  expect(sum(different, 'duplicate')).toBe(rows * (different.length - 1));
  for (const { entries } of await lookedUp(serialsOf(prefix)))
    expect(entries).toMatchObject([{ state: 'registered', entry: 1 }]);
});

it('two accounts race for the same serials: each has one owner, and the other one a conflict', async () => {
  const prefix = uniquePrefix();
  const file = (name: string) => panelFile(name, test.models, { rows, prefix });
  const [first, second] = await sent(
    { client: ours[0]!, csv: file(supplier) },
    { client: theirs[1]!, csv: file(rival) },
  );
  expect(sum([first!, second!], 'registered')).toBe(rows);
  expect(sum([first!, second!], 'conflict')).toBe(rows);
  expect(first!.outcomes.registered ?? 0).toBe(second!.outcomes.conflict ?? 0);
  const owners = (await lookedUp(serialsOf(prefix))).map(({ entries }) => {
    expect(entries).toMatchObject([{ state: 'registered', entry: 1 }]);
    return entries[0]!.supplier;
  });
  expect(owners.filter((owner) => owner === supplier)).toHaveLength(first!.outcomes.registered ?? 0);
});

it('marked as invalid and registered again, both under way: each serial ends as their order in the log says', async () => {
  const prefix = uniquePrefix();
  const csv = panelFile(supplier, test.models, { rows, prefix });
  await sent({ client: ours[0]!, csv });
  const [marked, again] = await sent(
    { client: ours[0]!, csv: marking(csv), action: 'invalidate' },
    { client: ours[1]!, csv },
  );
  expect(marked!.outcomes).toEqual({ invalidated: rows });
  // Whoever came first: registered again after the marking, or a duplicate before it.
  expect(sum([again!], 'registered') + sum([again!], 'duplicate')).toBe(rows);
  const ends = (await lookedUp(serialsOf(prefix))).map(({ entries }) => {
    expect(entries).toHaveLength(1);
    const [{ state, entry }] = entries as [Entry];
    expect([state, entry]).toEqual(state === 'invalid' ? ['invalid', 2] : ['registered', 3]);
    return state;
  });
  expect(ends.filter((state) => state === 'registered')).toHaveLength(sum([again!], 'registered'));
});

it('the same serials under two holders at once: both are registered, and one of each pair says so', async () => {
  const prefix = uniquePrefix();
  const [one] = test.models;
  const other = test.models.find(({ holder }) => holder !== one!.holder)!;
  const file = (model: typeof other) => panelFile(supplier, [model], { rows, prefix });
  const all = await sent({ client: ours[0]!, csv: file(one!) }, { client: ours[1]!, csv: file(other) });
  for (const { outcomes } of all) expect(outcomes).toEqual({ registered: rows });
  for (const { entries } of await lookedUp(serialsOf(prefix))) {
    expect(entries.map(({ holder }) => holder).sort()).toEqual([one!.holder, other.holder].sort());
    expect(entries.map(({ state, entry }) => [state, entry])).toEqual([
      ['registered', 1],
      ['registered', 1],
    ]);
    const shared = entries.filter(({ remarks }) => remarks.includes('serial_shared_between_holders'));
    expect(shared).toHaveLength(1);
  }
});
