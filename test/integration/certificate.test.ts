import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reassess } from '#scripts/reassess/reassess.ts';
import { createKafka } from '#shared/adapters/kafka/client.ts';
import { serialPartitions, topicName } from '#shared/adapters/kafka/topics.ts';
import {
  auditEvent,
  type ClaimEvent,
  claimEvent,
  claimIdOf,
  type DecidedClaim,
  decideEvent,
  emptyState,
  refusalEvent,
  registrationEvent,
  unitOf,
  withdrawalEvent,
} from '#shared/domain/claims/index.ts';
import { normalise } from '#shared/domain/normalise.ts';
import { equipment, evidenceFor, windFacts } from '#test/support/claims.ts';
import { type ClaimState, ClaimsFleet, installed, panelHolder, today } from '#test/support/claims-fleet.ts';
import { silent } from '#test/support/stores.ts';

let fleet: ClaimsFleet;

beforeAll(async () => {
  fleet = await ClaimsFleet.start();
});
afterAll(() => fleet?.stop());

const codes = (state: ClaimState) => state.findings.map(({ code, subject }) => [code, subject]);

describe('from a claim to its decision', () => {
  test('approved: evidence, figures, numbers and working are in the ledger', async () => {
    const claim = fleet.claimed(['A-1', 'a-2']);
    await fleet.register(['A-1', 'A-2']);
    await fleet.registerInverters(claim);
    await fleet.send(claim);
    const state = await fleet.decided(claim);
    expect(codes(state).map(([code]) => code)).toEqual([
      'registered_after_installation',
      'registered_after_installation',
      'registered_after_installation',
    ]);
    expect(state).toMatchObject({
      status: 'approved',
      decision: 'approved',
      first_number: 1,
      last_number: state.certificates,
      certificate_status: 'Pending audit',
    });
    expect(state.certificates).toBeGreaterThan(0);
    expect(state.accreditation_code).toMatch(/^SGUS\d{8}$/);

    const [row] = await fleet.clickhouse.query<Record<string, unknown>>(
      'SELECT * FROM claims WHERE claim = {claim:String}',
      {
        claim: claim.claim,
      },
    );
    expect(row).toMatchObject({
      kind: 'claim',
      entitlement: 'eligible',
      rules_version: 1,
      created_on: today,
    });
    expect(row?.serial_evidence).toMatchObject([
      {
        serial_key: 'A-1',
        state: 'found',
        entries: [{ holder: panelHolder, entry: 1, outcome: 'registered', registered_on: today }],
      },
      { serial_key: 'A-2', state: 'found' },
      { product: 'inverter', state: 'found' },
    ]);
    expect(row?.model_evidence).toMatchObject([
      { product: 'panel', state: 'listed', windows: [{ approved: '2024-01-01', expires: '2029-12-31' }] },
      { product: 'inverter', state: 'listed' },
    ]);
    expect(
      (row!.stamps as { stamp: number; watermark: number }[]).every(
        ({ stamp, watermark }) => watermark >= stamp,
      ),
    ).toBe(true);
    expect(row?.working).not.toHaveLength(0);
    expect(row).not.toHaveProperty('owner');
    const parties = await fleet.clickhouse.query(
      'SELECT owner, address FROM claim_parties WHERE claim = {claim:String}',
      {
        claim: claim.claim,
      },
    );
    expect(parties).toEqual([{ owner: claim.owner, address: claim.address }]);
    const serials = await fleet.clickhouse.query(
      "SELECT claim FROM claim_serials WHERE product = 'panel' AND serial_key = 'A-2'",
    );
    expect(serials).toEqual([{ claim: claim.claim }]);
  });

  test('held, refused: what is unknown, expired or claimed already is named', async () => {
    const taken = fleet.claimed(['B-1', 'B-2']);
    await fleet.register(['B-1', 'B-2', 'B-4']);
    await fleet.register(['B-3'], { model: 'panel-old' });
    const unknown = fleet.claimed(['B-4', 'B-NONE']);
    const expired = fleet.claimed([], {
      panel_count: 1,
      equipment: [equipment('panel', ['B-3'], { model: 'panel-old' }), equipment('inverter', ['INV-B'])],
    });
    await fleet.registerInverters(taken, unknown, expired);
    await fleet.send(taken);
    const holding = await fleet.decided(taken);
    expect(holding.status).toBe('approved');
    const again = fleet.claimed(['B-2', 'B-4']);
    await fleet.registerInverters(again);
    await fleet.send(unknown, expired, again);
    const found = async (event: ClaimEvent) => {
      const state = await fleet.decided(event);
      return [state.status, ...codes(state).filter(([code]) => code !== 'registered_after_installation')];
    };
    expect(await found(unknown)).toEqual(['held', ['serial_not_found', 'B-NONE']]);
    expect(await found(expired)).toEqual(['refused', ['model_expired', `${panelHolder} panel-old`]]);
    expect(await found(again)).toEqual(['refused', ['serial_already_claimed', 'B-2']]);
    expect(
      (await fleet.decided(again)).findings.find(({ code }) => code === 'serial_already_claimed')?.reference,
    ).toBe(taken.claim);
  });

  test('withdrawal and failed audit free the serials; numbers go on; copies change nothing', async () => {
    const first = fleet.claimed(['C-1', 'C-2']);
    await fleet.register(['C-1', 'C-2']);
    await fleet.registerInverters(first);
    const withdrawal = withdrawalEvent(fleet.sender('agent'), first.claim, 'mistake');
    await fleet.send(first, withdrawal, first);
    const withdrawn = await fleet.decided(withdrawal);
    expect(withdrawn).toMatchObject({
      status: 'withdrawn',
      certificate_status: 'Withdrawn',
      first_number: 1,
    });
    const { claim: _, event: __, ...facts } = first;
    const second = { ...facts, event: randomUUID(), claim: claimIdOf(first.unit, 'second') };
    await fleet.send(second);
    const approved = await fleet.decided(second);
    expect(approved).toMatchObject({
      status: 'approved',
      first_number: withdrawn.last_number + 1,
      accreditation_code: withdrawn.accreditation_code,
    });
    const audit = auditEvent(fleet.sender('regulator'), second.claim, 'failed', 'not there');
    await fleet.send(audit);
    expect(await fleet.decided(audit)).toMatchObject({
      status: 'failed',
      certificate_status: 'Invalid due to audit',
    });
    const rows = await fleet.clickhouse.query<{ events: number }>(
      'SELECT count() AS events FROM claims FINAL WHERE unit = {unit:String}',
      { unit: first.unit },
    );
    expect(rows).toEqual([{ events: 4 }]);
  });

  test('an invalidation accepted before the claim is seen by it, however young (must survive 5)', async () => {
    const claim = fleet.claimed(['D-1', 'D-2']);
    await fleet.register(['D-1', 'D-2']);
    await fleet.registerInverters(claim);
    await fleet.submit('panel', 'invalidate', ['D-2']);
    await fleet.send(claim);
    const state = await fleet.decided(claim);
    expect(state.status).toBe('refused');
    expect(codes(state)).toContainEqual(['serial_invalid', 'D-2']);
  });

  test('a wind unit needs no ledger', async () => {
    const facts = windFacts({ installed_on: installed });
    const claim = claimEvent(fleet.sender('agent'), claimIdOf(unitOf(facts), 'wind'), facts);
    await fleet.send(claim);
    expect(await fleet.decided(claim)).toMatchObject({ status: 'approved', certificates: 27 });
  });
});

describe("the regulator's word", () => {
  const unnoted = (state: ClaimState) =>
    codes(state).filter(([code]) => code !== 'registered_after_installation');

  test('a held claim is assessed again when its serials come; released by an answer; refused for good', async () => {
    const [late, released, refused] = [
      fleet.claimed(['R-1']),
      fleet.claimed(['R-2']),
      fleet.claimed(['R-3']),
    ];
    await fleet.registerInverters(late, released, refused);
    await fleet.send(late, released, refused);
    for (const event of [late, released, refused]) expect((await fleet.decided(event)).status).toBe('held');

    await fleet.register(['R-1']);
    const again = { ...late, event: randomUUID(), based_on: late.event };
    const release = {
      ...released,
      event: randomUUID(),
      based_on: released.event,
      asked_by: 'regulator',
      waived: [{ code: 'serial_not_found', subject: 'R-2' }],
    };
    const refusal = refusalEvent(fleet.sender('regulator'), refused.claim, 'no such panel', refused.event);
    await fleet.send(again, release, refusal);
    expect((await fleet.decided(again)).status).toBe('approved');
    const approved = await fleet.decided(release);
    expect(approved.status).toBe('approved');
    expect(approved.findings.find(({ subject }) => subject === 'R-2')).toMatchObject({ effect: 'waived' });
    expect(await fleet.decided(refusal)).toMatchObject({ status: 'refused', decision: 'held' });
  });

  test('passed, paid, registered: each step is in the log with who took it', async () => {
    const claim = fleet.claimed(['R-4']);
    await fleet.register(['R-4']);
    await fleet.registerInverters(claim);
    const passed = auditEvent(fleet.sender('regulator'), claim.claim, 'passed', 'seen');
    const paid = registrationEvent(fleet.sender('regulator'), claim.claim, 'receipt 7');
    await fleet.send(claim, passed, paid);
    expect(await fleet.decided(paid)).toMatchObject({
      status: 'registered',
      certificate_status: 'Registered',
      first_number: 1,
    });
    const actions = await fleet.clickhouse.query(
      `SELECT decision, certificate_status, toString(acted_on) AS acted_on, first_number FROM certificate_actions FINAL
       WHERE claim = {claim:String} ORDER BY evidenced_offset`,
      { claim: claim.claim },
    );
    const first = { acted_on: today, first_number: 1 };
    expect(actions).toEqual([
      { decision: 'approved', certificate_status: 'Pending audit', ...first },
      { decision: 'audit_passed', certificate_status: 'Pending creation fee payment', ...first },
      { decision: 'registered', certificate_status: 'Registered', ...first },
    ]);
  });

  test('a conflict holds a claim until it is resolved between the parties; who was refused gains nothing', async () => {
    const claim = fleet.claimed(['R-5']);
    await fleet.register(['R-5']);
    await fleet.register(['R-5'], { supplier: 'Rival', account: 'rival' });
    await fleet.registerInverters(claim);
    await fleet.send(claim);
    const held = await fleet.decided(claim);
    expect([held.status, ...unnoted(held)]).toEqual(['held', ['serial_in_conflict', 'R-5']]);
    await fleet.rule('conflict_resolved', {
      holder_key: normalise(panelHolder),
      serial_key: 'R-5',
      held_by: 'SUNWARD IMPORTS',
      disputed_by: ['RIVAL'],
    });
    const again = { ...claim, event: randomUUID(), based_on: claim.event };
    await fleet.send(again);
    expect((await fleet.decided(again)).status).toBe('approved');
  });

  test('a model or serial declared ineligible earns nothing, and the finding says why', async () => {
    const [model, serial] = [
      fleet.claimed([], {
        panel_count: 1,
        equipment: [equipment('panel', ['R-6'], { model: 'panel-200' }), equipment('inverter', ['INV-R'])],
      }),
      fleet.claimed(['R-7']),
    ];
    await fleet.register(['R-6'], { model: 'panel-200' });
    await fleet.register(['R-7']);
    await fleet.registerInverters(model, serial);
    await fleet.rule('model_ineligible', { holder_key: normalise(panelHolder), model_key: 'PANEL-200' });
    await fleet.rule('serial_ineligible', { serial_key: 'R-7', reason: 'stolen' });
    await fleet.send(model, serial);
    const state = await fleet.decided(model);
    expect([state.status, state.certificates, ...unnoted(state)]).toEqual([
      'refused',
      0,
      ['model_declared_ineligible', `${panelHolder} panel-200`],
    ]);
    expect(unnoted(await fleet.decided(serial))).toEqual([['serial_declared_ineligible', 'R-7']]);
  });

  test('a serial that was offered without authority is told apart from one that nobody supplied', async () => {
    const claim = fleet.claimed(['R-8']);
    await fleet.register(['R-8'], { finding: 'supplier_not_authorised', account: 'importer' });
    await fleet.registerInverters(claim);
    await fleet.send(claim);
    const state = await fleet.decided(claim);
    expect([state.status, ...unnoted(state)]).toEqual([
      'held',
      ['supplier_not_authorised', 'R-8'],
      ['serial_not_found', 'R-8'],
    ]);
    expect(state.findings[0]?.reference).toBe('importer');
    const [row] = await fleet.clickhouse.query<{ authorities: string[] }>(
      'SELECT model_evidence.authority AS authorities FROM claims WHERE claim = {claim:String}',
      { claim: claim.claim },
    );
    expect(row!.authorities).toEqual(['not_checked', 'authorised']);
  });

  test('decisions of the first version of the schema go into the ledger as they are', async () => {
    const [version] = fleet.codec.versions('DecidedClaim');
    const claim = fleet.claimed(['R-9']);
    const evidence = evidenceFor(claim, undefined, { created_on: today });
    const { decided } = decideEvent({ ...claim, ...evidence }, 1, emptyState);
    const body = version!.type.toBuffer({ ...claim, ...evidence, ...decided });
    const head = Buffer.alloc(5);
    head.writeUInt32BE(version!.id, 1);
    const value = Buffer.concat([head, body]);
    await fleet.publisher.send(topicName('claims.decided'), [
      { partition: 0, value, headers: { origin: '1' } },
    ]);
    expect(await fleet.decided(claim)).toMatchObject({
      status: 'approved',
      certificates: decided.certificates,
    });
    const [row] = await fleet.clickhouse.query(
      'SELECT waived, rulings_offset, state_before FROM claims WHERE claim = {claim:String}',
      { claim: claim.claim },
    );
    expect(row).toEqual({ waived: [], rulings_offset: -1, state_before: '' });
  });
});

describe('a verdict computed again', () => {
  const partitions = serialPartitions('local');
  const again = (claim: string) => reassess(fleet.clickhouse, { claim, by: () => true, partitions });

  test('is the same whatever the ledger has learned since; a ledger that was changed behind is found out', async () => {
    const claim = fleet.claimed(['T-1', 'T-2']);
    await fleet.register(['T-1', 'T-2']);
    await fleet.registerInverters(claim);
    await fleet.send(claim);
    expect((await fleet.decided(claim)).status).toBe('approved');
    const after = fleet.claimed(['T-1']);
    await fleet.submit('panel', 'invalidate', ['T-2']);
    await fleet.rule('model_ineligible', { holder_key: normalise(panelHolder), model_key: 'PANEL-100' });
    await fleet.rule('model_eligible', { holder_key: normalise(panelHolder), model_key: 'PANEL-100' });
    await fleet.send(after);
    expect((await fleet.decided(after)).status).toBe('refused');
    expect(await again(claim.claim)).toMatchObject({
      same: true,
      recorded: { decision: 'approved' },
      ledger: { differences: [] },
    });

    const [entry] = await fleet.clickhouse.query<{ submission: string; row: number; partition: number }>(
      "SELECT submission, row, partition FROM serial_rows WHERE serial_key = 'T-1' LIMIT 1",
    );
    await fleet.clickhouse.insertRows('serial_rows', [
      {
        ...entry,
        product: 'panel',
        serial_key: 'T-1',
        holder_key: normalise(panelHolder),
        holder: panelHolder,
        outcome: 'registered',
        // A later entry: of two rows with one number, which is read would be chance.
        entry: 2,
        model: 'panel-200',
        origin: 0,
        received_at: '2026-01-01 00:00:00.000',
      },
    ]);
    expect(await again(claim.claim)).toMatchObject({
      same: false,
      carried: { decision: 'approved' },
      ledger: { differences: ['serial_evidence'], verdict: { decision: 'held' } },
    });
  });
});

describe('waiting and dying', () => {
  test('a claim waits for the ledger as long as it takes; nothing overtakes it; then it is decided', async () => {
    await fleet.worker('ledger-writer').stop(10_000);
    const waiting = fleet.claimed(['E-1']);
    const late = withdrawalEvent(fleet.sender('agent'), waiting.claim, 'mistake');
    await fleet.register(['E-1']);
    await fleet.registerInverters(waiting);
    const before = await tickCount();
    await fleet.send(waiting, late);
    // It asked, waited in vain, and asked again.
    await fleet.until('a second tick', async () => ((await tickCount()) > before + 6 ? true : undefined));
    expect(await evidencedEvents()).not.toContain(waiting.event);
    expect(await evidencedEvents()).not.toContain(late.event);
    await fleet.startWorker('ledger-writer');
    expect(await fleet.decided(late)).toMatchObject({ decision: 'approved', status: 'withdrawn' });
  });

  test('killed while claims are on their way: each is decided once', async () => {
    const many = Array.from({ length: 60 }, (_, i) => fleet.claimed([`F-${i}`, `F-${i}-b`]));
    await fleet.register(many.flatMap(({ equipment: items }) => items[0]!.serials));
    await fleet.registerInverters(...many);
    await fleet.send(...many.slice(0, 40));
    await fleet.until('some decisions', async () => ((await decidedCount(many)) > 0 ? true : undefined));
    fleet.worker('certificate').kill('SIGKILL');
    await fleet.send(...many.slice(40));
    await fleet.startWorker('certificate');
    await fleet.until('all decisions', async () =>
      (await decidedCount(many)) === many.length ? true : undefined,
    );
    const states = await Promise.all(many.map((event) => fleet.decided(event)));
    expect(states.map(({ status }) => status)).toEqual(many.map(() => 'approved'));
    expect(states.every(({ first_number }) => first_number === 1)).toBe(true);
    expect(new Set(states.map(({ accreditation_code }) => accreditation_code)).size).toBe(many.length);
  });

  test('Redis gone and back: claims wait, and are decided', async () => {
    const claim = fleet.claimed(['G-1']);
    await fleet.register(['G-1']);
    await fleet.registerInverters(claim);
    await fleet.engines.engines.restart('redis');
    await fleet.send(claim);
    expect((await fleet.decided(claim)).status).toBe('approved');
  });
});

describe('what the ledger says of a serial', () => {
  const base = {
    product: 'panel',
    row: 1,
    action: 'register',
    account: 'a1',
    supplier: 'S1',
    supplier_key: 'S1',
    series: '',
    model: 'panel-100',
    status: '',
    reason: '',
    listing: 'listed',
    listing_note: '',
    decision_note: '',
    snapshot: '',
    partition: 0,
  };

  async function rows(serial: string, ...entries: readonly object[]) {
    await fleet.clickhouse.insertRows(
      'serial_rows',
      entries.map((entry, i) => ({
        ...base,
        serial_key: serial,
        serial,
        holder: panelHolder,
        holder_key: normalise(panelHolder),
        submission: randomUUID(),
        outcome: 'registered',
        entry: i + 1,
        received_at: `2026-01-0${i + 1} 00:00:00.000`,
        origin: 10 + i,
        ...entry,
      })),
    );
  }

  const ask = async (serial: string, watermark = 100) =>
    fleet.ledger.entries([{ product: 'panel', serial_key: serial, partition: 0 }], new Map([[0, watermark]]));

  test('the latest entry counts, up to the watermark and no further', async () => {
    await rows(
      'H-1',
      {},
      { outcome: 'invalidated', action: 'invalidate', model: '' },
      { supplier: 'S2', supplier_key: 'S2' },
    );
    expect(await ask('H-1', 9)).toEqual([]);
    expect(await ask('H-1', 10)).toMatchObject([{ entry: 1, outcome: 'registered', supplier: 'S1' }]);
    expect(await ask('H-1', 11)).toMatchObject([{ entry: 2, outcome: 'invalidated', model: 'panel-100' }]);
    expect(await ask('H-1', 12)).toMatchObject([
      { entry: 3, outcome: 'registered', supplier: 'S2', registered_at: Date.parse('2026-01-01') },
    ]);
  });

  test('a refused registration is a conflict while another supplier holds the serial', async () => {
    const conflict = { outcome: 'conflict', entry: 0, supplier: 'S2', supplier_key: 'S2' };
    await rows('H-2', {}, conflict);
    expect(await ask('H-2')).toMatchObject([{ held_by: 'S1', disputed_by: ['S2'], account: 'a1' }]);
    await rows(
      'H-3',
      {},
      conflict,
      { outcome: 'invalidated', entry: 2 },
      { entry: 3, supplier: 'S2', supplier_key: 'S2' },
    );
    expect(await ask('H-3')).toMatchObject([{ disputed_by: [], supplier: 'S2' }]);
    // Refused, and never registered under this holder: no entry.
    await rows('H-4', conflict);
    expect(await ask('H-4')).toEqual([]);
  });

  test('a change of status is no change of validity', async () => {
    const updated = { outcome: 'status_updated', action: 'update_status', model: '', status: 'in service' };
    await rows('H-6', {}, updated);
    expect(await ask('H-6')).toMatchObject([{ entry: 2, outcome: 'registered', status: 'in service' }]);
    await rows('H-7', {}, { outcome: 'invalidated', model: '' }, updated);
    expect(await ask('H-7')).toMatchObject([{ entry: 3, outcome: 'invalidated', model: 'panel-100' }]);
  });

  test('two holders of one serial are two answers', async () => {
    await rows('H-5', {}, { entry: 1, holder: 'Other', holder_key: 'OTHER' });
    expect((await ask('H-5')).map(({ holder_key }) => holder_key)).toEqual(['OTHER', normalise(panelHolder)]);
  });

  test('thousands of serials at once', async () => {
    const serials = Array.from({ length: 5_000 }, (_, i) => ({
      product: 'panel',
      serial_key: `none-${i}`,
      partition: 0,
    }));
    const found = await fleet.ledger.entries(
      [...serials, { product: 'panel', serial_key: 'H-1', partition: 0 }],
      new Map([[0, 100]]),
    );
    expect(found.map(({ serial_key }) => serial_key)).toEqual(['H-1']);
  });
});

async function tickCount(): Promise<number> {
  const kafka = createKafka({
    brokers: fleet.engines.engines.urls.kafkaBrokers,
    clientId: 'test-offsets',
    log: silent,
  });
  const admin = kafka.admin();
  await admin.connect();
  const offsets = await admin.fetchTopicOffsets(topicName('serials.submitted'));
  await admin.disconnect();
  return offsets.reduce((sum, { high }) => sum + Number(high), 0);
}

/** Every event in claims.evidenced so far. */
async function evidencedEvents(): Promise<readonly string[]> {
  const kafka = createKafka({
    brokers: fleet.engines.engines.urls.kafkaBrokers,
    clientId: 'test-reader',
    log: silent,
  });
  const topic = topicName('claims.evidenced');
  const admin = kafka.admin();
  await admin.connect();
  const [end] = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  const last = Number(end!.high) - 1;
  const consumer = kafka.consumer({ groupId: `test-${randomUUID()}` });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const events: string[] = [];
  await new Promise<void>((resolve, reject) => {
    if (last < 0) return resolve();
    consumer
      .run({
        eachMessage: async ({ message }) => {
          events.push(String(message.headers?.event));
          if (Number(message.offset) >= last) resolve();
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
  return events;
}

async function decidedCount(events: readonly ClaimEvent[]): Promise<number> {
  const [row] = await fleet.clickhouse.query<{ decided: number }>(
    'SELECT uniqExact(event) AS decided FROM claims WHERE event IN {events:Array(String)}',
    { events: events.map(({ event }) => event) },
  );
  return row!.decided;
}

describe('personal data (L4)', () => {
  test('of a decision that ClickHouse refuses is in no log and no table of dead letters', async () => {
    const claim = fleet.claimed(['Z-1'], {
      owner: 'Zaphira Quillfeather',
      address: '77 Marigold Crescent',
      installed_on: '77 Marigold Crescent',
    });
    const evidence = evidenceFor(claim, undefined, { created_on: today });
    const { decided } = decideEvent({ ...claim, ...evidence }, 1, emptyState);
    const whole = fleet.codec.encoder<DecidedClaim>('DecidedClaim').encode({
      ...claim,
      ...evidence,
      ...decided,
    });
    // Cut off: what follows is read in the wrong places, and the sentinel is not where it should be.
    const cut = whole.subarray(0, whole.length - 7);
    await fleet.publisher.send(topicName('claims.decided'), [
      { partition: 0, value: cut, headers: { origin: '1' } },
    ]);
    const [letter] = await fleet.until('a dead letter', async () => {
      const rows = await fleet.clickhouse.query<{ cause: string }>(
        "SELECT cause FROM dead_letters WHERE stage = 'ledger-writer of claims'",
      );
      return rows.length > 0 ? rows : undefined;
    });
    expect(letter!.cause).not.toBe('');
    const logs = ['cec-validation', 'dedup', 'ledger-writer', 'certificate'] as const;
    for (const text of [
      letter!.cause,
      ...logs.map((name) => readFileSync(fleet.worker(name).logFile, 'utf8')),
    ])
      expect(text).not.toMatch(/Quillfeather|Marigold|Owen|example\.org/);
  });
});
