import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '#scripts/demo/client.ts';
import { importList } from '#scripts/demo/scenario.ts';
import { urlEnv } from '#scripts/engines/engines.ts';
import { root } from '#scripts/engines/local.ts';
import { sydneyDay } from '#shared/domain/days.ts';
import { Casting, type Member } from '#test/support/cast.ts';
import { DescribedApi, type Reply } from '#test/support/described-api.ts';
import { startTestFleet, type TestFleet } from '#test/support/fleet.ts';

const supplier = 'Wholeway Imports Pty Ltd';
const rival = 'Rival Imports Pty Ltd';
const today = sydneyDay(Date.now());
const installed = sydneyDay(Date.now() - 30 * 86_400_000);
/** What must stand in no log and no metric (L4). */
const personal = {
  owner: 'Zaphira Quillfeather',
  owner_contact: 'zaphira@quill.example',
  installer: 'Torvald Ironmonger',
  auditor: 'Perpetua Nightingale 0400 111 222',
  address: 'Marigold Crescent',
};
const inverter = {
  holder: 'Brightgrid Power Electronics Co Ltd',
  series: 'BG',
  model: 'BG-5000TL (AS4777-2 2020)',
};
const battery = { holder: 'Storewell Energy Pty Ltd', series: 'SW', model: 'SW-13 (AS5139)' };

let test: TestFleet;
let api: DescribedApi;
let regulator: string;
let source: Member;
let competitor: Member;
let agent: Member;
let otherAgent: Member;
let panel: { holder: string; model: string };

beforeAll(async () => {
  test = await startTestFleet();
  const { urls } = test.fleet.engines;
  const list = (name: string) => path.join(root, 'deploy', 'lists', name);
  await importList(urls, list('synthetic_inverters_20260423.csv'), 'inverter');
  await importList(urls, list('synthetic_batteries_20260423.csv'), 'battery');
  api = await DescribedApi.open(test.fleet.gatewayUrl);
  const casting = new Casting(api, test.operatorKey);
  regulator = (await casting.made('Regulator', 'regulator')).key;
  source = await casting.made(supplier, 'supplier');
  competitor = await casting.made(rival, 'supplier');
  agent = await casting.made('Careful Agency', 'agent');
  otherAgent = await casting.made('Hasty Agency', 'agent');
  const { holder, model } = test.models.find(
    ({ approved, expires }) => approved <= installed && expires >= today,
  )!;
  panel = { holder, model };
});
afterAll(() => test?.stop());

const cell = (text: string) => `"${text.replaceAll('"', '""')}"`;
const csv = (...rows: readonly (readonly string[])[]) =>
  rows.map((row) => `${row.map(cell).join(',')}\r\n`).join('');

/** Uploads serials of one product, and waits until each has its outcome. */
async function upload(
  product: 'panel' | 'inverter' | 'battery',
  serials: readonly string[],
  by: Member = source,
): Promise<Record<string, number>> {
  const name = by === source ? supplier : rival;
  const rows =
    product === 'panel'
      ? [
          ['Supplier name', 'Licensee/Certificate holder', 'Model number', 'Serial number'],
          ...serials.map((serial) => [name, panel.holder, panel.model, serial]),
        ]
      : [
          ['Manufacturer', 'Series', 'Model', 'Serial number'],
          ...serials.map((serial) => {
            const { holder, series, model } = product === 'inverter' ? inverter : battery;
            return [holder, series, model, serial];
          }),
        ];
  const accepted = await api.call('createSubmission', {
    key: by.key,
    query: { product, declaration: 'file-upload-1', file_name: `${product}s.csv` },
    headers: { 'content-type': 'text/csv' },
    body: csv(...rows),
  });
  expect(accepted.status, accepted.text).toBe(202);
  const reply = await until(
    `submission of ${product}s`,
    () =>
      api.call('getSubmission', {
        key: by.key,
        params: { submission: accepted.body.id },
        query: { wait_ms: '10000' },
      }),
    ({ body }) => body.state === 'final',
    60_000,
  );
  return reply.body.outcomes;
}

let places = 0;

function common() {
  places += 1;
  return {
    installed_on: installed,
    address: `${places} ${personal.address}`,
    locality: 'Newcastle West',
    state: 'NSW',
    postcode: '2302',
    installation_type: 'New',
    complete_unit: true,
    installer: personal.installer,
    installer_accreditation: 'A1234567',
    designer_accreditation: 'A1234567',
    accredited: true,
    owner: personal.owner,
    owner_contact: personal.owner_contact,
    claimant: 'agent',
    assignment: 'REC-ASSIGNMENT-1',
    assigned_on: today,
  };
}

function solar(panels: readonly string[], inverters: readonly string[]) {
  return {
    ...common(),
    unit_kind: 'solar',
    rated_power_kw: '6.6',
    deeming: 'max',
    panel_count: panels.length,
    panels: [{ ...panel, serials: panels }],
    inverters: [{ ...inverter, serials: inverters }],
  };
}

/** One claim of each kind, with what has to be registered for it and what the public calculator says of it. */
const kinds = {
  solar: {
    serials: { panel: ['WW-P1', 'WW-P2'], inverter: ['WW-I1'] },
    claim: () => solar(['WW-P1', 'ww-p2'], ['WW-I1']),
    figures: {
      system_type: 'solar',
      kw: 6.6,
      postcode: '2302',
      deeming_years: 'max',
      accredited_installer: 'yes',
    },
  },
  wind: {
    serials: {},
    claim: () => ({
      ...common(),
      unit_kind: 'wind',
      rated_power_kw: '2.9',
      deeming: '1',
      resource_hours: '2400',
      hours_audit: 'REPORT-1',
      auditor: personal.auditor,
      turbines: [{ holder: 'Breezeworks', model: 'BW-3', serials: ['BW-1'] }],
    }),
    figures: { system_type: 'wind', kw: 2.9, deeming_years: 1, resource_hours: 2400, hours_audited: 'yes' },
  },
  hydro: {
    serials: {},
    claim: () => ({
      ...common(),
      unit_kind: 'hydro',
      rated_power_kw: '5',
      deeming: '1',
      turbines: [{ holder: 'Brookwheel', model: 'BR-5', serials: ['BR-1'] }],
    }),
    figures: { system_type: 'hydro', kw: 5, deeming_years: 1 },
  },
  battery: {
    serials: { battery: ['WW-B1'], inverter: ['WW-I2'] },
    claim: () => ({
      ...common(),
      unit_kind: 'battery',
      compliance_on: installed,
      nominal_kwh: '13.5',
      usable_kwh: '13',
      with_solar: true,
      vpp_ready: true,
      batteries: [{ ...battery, serials: ['WW-B1'] }],
      inverters: [{ ...inverter, serials: ['WW-I2'] }],
    }),
    figures: {
      system_type: 'battery',
      nominal_kwh: 13.5,
      usable_kwh: 13,
      with_solar: 'yes',
      vpp_ready: 'yes',
    },
  },
} as const;

async function calculated(figures: object): Promise<number> {
  const calculation = { ...figures, install_date: installed, created_on: today, installation_type: 'New' };
  const { body, text } = await api.call('computeEntitlements', { body: { calculations: [calculation] } });
  const [result] = body.results;
  expect(result.outcome, text).toBe('eligible');
  return result.stcs;
}

async function claimed(claim: object, by: Member = agent): Promise<Reply['body']> {
  const made = await api.call('createClaim', { key: by.key, body: claim });
  expect(made.status, made.text).toBe(202);
  return decided(made.body.id, by);
}

async function decided(claim: string, by: Member = agent): Promise<Reply['body']> {
  const { body } = await until(
    `claim ${claim}`,
    () => api.call('getClaim', { key: by.key, params: { claim }, query: { wait_ms: '10000' } }),
    (reply) => reply.body.state === 'decided',
    60_000,
  );
  return body;
}

/** Gives an order, and waits until its decision stands in the history. */
async function ordered(
  operation: string,
  claim: string,
  body: object,
  key = regulator,
): Promise<Reply['body']> {
  const given = await api.call(operation, { key, params: { claim }, body });
  expect(given.status, given.text).toBe(202);
  const { event } = given.body;
  const { body: history } = await until(
    `${operation} of ${claim}`,
    () => api.call('getClaimHistory', { key, params: { claim }, query: { event, wait_ms: '10000' } }),
    (reply) => reply.body.events.some((told: { event: string }) => told.event === event),
    60_000,
  );
  return history.events.at(-1);
}

const codes = (view: Reply['body']) =>
  view.findings
    .map(({ code }: { code: string }) => code)
    .filter((code: string) => code !== 'registered_after_installation');

/** A command of the project as an operator runs it; what it writes, and how it ends. */
async function npm(...args: readonly string[]): Promise<{ code: number; out: string }> {
  const env = { ...process.env, ...urlEnv(test.fleet.engines.urls) };
  try {
    const { stdout } = await promisify(execFile)('npm', ['run', '-s', ...args], { cwd: root, env });
    return { code: 0, out: stdout };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout + stderr };
  }
}

describe('the whole way of an eligible claim', () => {
  it.each(Object.entries(kinds))('%s: upload, ledger, claim, certificate, register', async (kind, story) => {
    for (const [product, serials] of Object.entries(story.serials))
      expect(await upload(product as 'panel', serials)).toEqual({ registered: serials.length });
    const view = await claimed(story.claim());
    const expected = await calculated(story.figures);
    expect(expected).toBeGreaterThan(0);
    expect(codes(view)).toEqual([]);
    expect(view).toMatchObject({
      status: 'approved',
      certificates: expected,
      first_number: 1,
      last_number: expected,
      certificate_status: 'Pending audit',
      certificate_year: Number(today.slice(0, 4)),
    });

    const claim = view.id;
    expect(await ordered('auditClaim', claim, { result: 'passed', reason: 'papers complete' })).toMatchObject(
      {
        status: 'passed',
        certificate_status: 'Pending creation fee payment',
      },
    );
    expect(await ordered('registerCertificates', claim, { reason: 'receipt 1' })).toMatchObject({
      status: 'registered',
      certificate_status: 'Registered',
    });

    const params = { code: view.accreditation_code, year: today.slice(0, 4), number: String(expected) };
    const certificate = await api.call('getCertificate', { key: agent.key, params });
    expect(certificate.body).toMatchObject({
      status: 'Registered',
      claim,
      decision: { certificates: expected },
    });
    expect(certificate.body.actions.map(({ status }: { status: string }) => status)).toEqual([
      'Pending audit',
      'Pending creation fee payment',
      'Registered',
    ]);
    const beyond = { ...params, number: String(expected + 1) };
    expect((await api.call('getCertificate', { key: agent.key, params: beyond })).status).toBe(404);
    expect((await api.call('getCertificate', { key: otherAgent.key, params })).status).toBe(404);
    const unit = await api.call('getUnit', { key: regulator, params });
    expect(unit.body).toMatchObject({ unit_kind: kind, claims: [{ claim, certificates: expected }] });

    const moments = kind === 'solar' ? [[], ['--as-of', new Date().toISOString()], ['--as-of', today]] : [[]];
    for (const asOf of moments) {
      const { code, out } = await npm('reassess', '--', claim, ...asOf);
      expect(out).toContain('evidence read again: the same');
      expect(out.match(/: the same$/gm)).toHaveLength(3);
      expect({ code, differs: out.includes('NOT THE SAME') }).toEqual({ code: 0, differs: false });
    }
    if (kind === 'solar') expect((await npm('reassess', '--', claim, '--as-of', installed)).code).toBe(2);
  });
});

describe('what the ledger says against a claim', () => {
  it('a serial in another live claim: the regulator sees which, the agent does not; withdrawn, it is free', async () => {
    await upload('panel', ['WW-C1']);
    await upload('inverter', ['WW-IC1', 'WW-IC2', 'WW-IC3']);
    const first = await claimed(solar(['WW-C1'], ['WW-IC1']));
    expect(first.status).toBe('approved');
    const second = await claimed(solar(['WW-C1'], ['WW-IC2']), otherAgent);
    expect([second.status, ...codes(second)]).toEqual(['refused', 'serial_already_claimed']);

    const views = async (key: string) =>
      Promise.all([
        api.call('getClaim', { key, params: { claim: second.id } }),
        api.call('getClaimHistory', { key, params: { claim: second.id } }),
        api.call('explainSerial', { key, params: { product: 'panel', serial: 'WW-C1' } }),
        api.call('listClaims', { key }),
      ]);
    for (const { text } of await views(otherAgent.key)) {
      expect(text).not.toContain(first.id);
      expect(text).not.toContain(agent.account);
      expect(text).not.toContain('Careful Agency');
    }
    for (const { text } of await views(regulator)) expect(text).toContain(first.id);
    const supplied = await api.call('explainSerial', {
      key: source.key,
      params: { product: 'panel', serial: 'WW-C1' },
    });
    expect(supplied.body).toMatchObject({
      claims: [],
      holders: [{ rows: [{ file_name: 'panels.csv', row: 1 }] }],
    });

    const withdrawn = await ordered('withdrawClaim', first.id, { reason: 'wrong house' }, agent.key);
    expect(withdrawn).toMatchObject({ status: 'withdrawn', certificate_status: 'Withdrawn' });
    const third = await claimed(solar(['WW-C1'], ['WW-IC3']), otherAgent);
    expect(third.status).toBe('approved');
    // As it stood: the refusal was right then, though the serial is free now.
    const { code, out } = await npm('reassess', '--', second.id);
    expect({ code, refused: out.includes(`refuse  serial_already_claimed (WW-C1)`) }).toEqual({
      code: 0,
      refused: true,
    });

    const failed = await ordered('auditClaim', third.id, { result: 'failed', reason: 'no such house' });
    expect(failed).toMatchObject({ status: 'failed', certificate_status: 'Invalid due to audit' });
    const { body: explained } = await api.call('explainSerial', {
      key: regulator,
      params: { product: 'panel', serial: 'ww-c1' },
    });
    expect(explained.state).toBe('found');
    expect(explained.claims.map(({ claim, status }: Record<string, string>) => [claim, status])).toEqual([
      [first.id, 'withdrawn'],
      [second.id, 'refused'],
      [third.id, 'failed'],
    ]);
    expect(explained.claims[2].certificates).toMatchObject({
      first_number: 1,
      status: 'Invalid due to audit',
    });
    const page = await npm('explain', '--', 'panel', 'ww-c1');
    expect(page.code).toBe(0);
    for (const part of [
      '(compared as WW-C1)',
      'registered, entry 1',
      'file panels.csv, row 1',
      'batch 0',
      'origin',
      first.id,
      'serial_already_claimed',
      'Invalid due to audit',
    ])
      expect(page.out).toContain(part);
  });

  it('a serial that is not there holds the claim; once it is, the claim is assessed again', async () => {
    const claim = solar(['WW-H1'], ['WW-IH1']);
    const held = await claimed(claim);
    const named = held.findings.filter(({ code }: { code: string }) => code === 'serial_not_found');
    // G2: each is named, panel or inverter.
    expect([held.status, ...named.map(({ subject }: { subject: string }) => subject)]).toEqual([
      'held',
      'WW-H1',
      'WW-IH1',
    ]);
    const waiting = async (days: string) => {
      const query = { status: 'held', older_than_days: days };
      const { body } = await api.call('listClaims', { key: regulator, query });
      return body.claims.map(({ id }: { id: string }) => id);
    };
    expect(await waiting('0')).toContain(held.id);
    // J4: of those that wait longer than four weeks it is none.
    expect(await waiting('28')).toEqual([]);
    const { body: unknown } = await api.call('reportUnknownSerials', { key: regulator });
    for (const { product, holder } of [
      { product: 'panel', holder: panel.holder },
      { product: 'inverter', holder: inverter.holder },
    ])
      expect(unknown.rows).toContainEqual({
        product,
        holder,
        account: agent.account,
        account_name: 'Careful Agency',
        state: 'NSW',
        serials: 1,
        claims: 1,
        offered: 0,
      });
    const before = new Date().toISOString();
    await upload('panel', ['WW-H1']);
    await upload('inverter', ['WW-IH1']);
    const assessed = await ordered('reassessClaim', held.id, { reason: 'registered since' }, agent.key);
    expect(assessed).toMatchObject({ status: 'approved', by: 'claimant', reason: 'registered since' });
    const then = await npm('reassess', '--', held.id, '--as-of', before);
    expect(then.out).toContain(`as of ${before}: held`);
    expect(then.code).toBe(0);
    const now = await npm('reassess', '--', held.id);
    expect(now.out).toContain(': approved');
    expect(now.code).toBe(0);
  });

  it('a conflict is shown with both sides, holds the claim, and is resolved by a ruling', async () => {
    expect(await upload('panel', ['WW-X1'])).toEqual({ registered: 1 });
    expect(await upload('panel', ['WW-X1'], competitor)).toEqual({ conflict: 1 });
    await upload('inverter', ['WW-IX1']);
    const held = await claimed(solar(['WW-X1'], ['WW-IX1']));
    expect([held.status, ...codes(held)]).toEqual(['held', 'serial_in_conflict']);
    const conflict = async (state: string) => {
      const { body } = await api.call('listConflicts', { key: regulator, query: { state } });
      return body.conflicts.find(({ serial }: { serial: string }) => serial === 'WW-X1');
    };
    expect(await conflict('open')).toMatchObject({
      held_by: { supplier, account_name: supplier, row: 1 },
      disputed_by: [{ supplier: rival, account_name: rival, row: 1 }],
    });
    const ruling = {
      ruling: 'resolve',
      product: 'panel',
      holder: panel.holder,
      serial: 'WW-X1',
      reason: 'papers seen',
    };
    const given = await api.call('ruleOnConflict', { key: regulator, body: ruling });
    expect(given.body.in_force).toBe(true);
    expect(await conflict('open')).toBeUndefined();
    expect(await conflict('resolved')).toMatchObject({ resolution: { reason: 'papers seen' } });
    expect(await ordered('reassessClaim', held.id, {})).toMatchObject({
      status: 'approved',
      by: 'regulator',
    });
    expect((await npm('reassess', '--', held.id)).code).toBe(0);
    const { body: rulings } = await api.call('listRulings', { key: regulator });
    expect(rulings.rulings[0]).toMatchObject({
      kind: 'conflict_resolved',
      disputed_by: [rival.toUpperCase()],
    });
  });

  it('a held claim is released by an answer to its question, or refused for good', async () => {
    await upload('inverter', ['WW-IR1', 'WW-IR2']);
    const [first, second] = [
      await claimed(solar(['WW-R1'], ['WW-IR1'])),
      await claimed(solar(['WW-R2'], ['WW-IR2'])),
    ];
    const findings = [{ code: 'serial_not_found', subject: 'WW-R1' }];
    const released = await ordered('ruleOnClaim', first.id, {
      ruling: 'release',
      reason: 'seen on the photograph',
      assessment: first.assessment,
      findings,
    });
    expect(released).toMatchObject({ status: 'approved', waived: findings, by: 'regulator' });
    const refused = await ordered('ruleOnClaim', second.id, { ruling: 'refuse', reason: 'no such panel' });
    expect(refused).toMatchObject({ status: 'refused', reason: 'no such panel' });
    const late = await api.call('withdrawClaim', { key: agent.key, params: { claim: second.id }, body: {} });
    expect(late.body).toMatchObject({ code: 'claim_not_in_state', status: 409 });
  });
});

describe('claims in bulk', () => {
  it('a file of every kind: each record a claim of its own, faults by row, the same file the same claims', async () => {
    await upload('panel', ['WW-F1', 'WW-F2']);
    await upload('battery', ['WW-FB']);
    await upload('inverter', ['WW-FI1', 'WW-FI2']);
    const [year, month, day] = installed.split('-');
    const columns = {
      'Type of system': ['solar', 'wind', 'hydro', 'battery', 'solar'],
      'Installation date': [0, 0, 0, 0, 1].map((wrong) => (wrong ? installed : `${day}/${month}/${year}`)),
      'Certificate of compliance date': ['', '', '', `${day}/${month}/${year}`, ''],
      'Installation address': [1, 2, 3, 4, 5].map((n) => `${n} Bulk ${personal.address}`),
      Suburb: times5('Newcastle West'),
      State: times5('NSW'),
      Postcode: times5('2302'),
      'Installation type': times5('New'),
      'Complete unit': times5('Yes'),
      'Rated power output in kW': ['6.6', '2.9', '5', '', '6.6'],
      'System brand': [panel.holder, 'Breezeworks', 'Brookwheel', battery.holder, panel.holder],
      'System series': ['', '', '', battery.series, ''],
      'System model': [panel.model, 'BW-3', 'BR-5', battery.model, panel.model],
      'Panel serial numbers': ['WW-F1; WW-F2', '', '', '', 'WW-F1'],
      'Number of panels': ['2', '', '', '', '1'],
      'Equipment module serial number': ['', 'BW-F', 'BR-F', '', ''],
      'Battery serial numbers': ['', '', '', 'WW-FB', ''],
      'Nominal capacity in kWh': ['', '', '', '13.5', ''],
      'Usable capacity in kWh': ['', '', '', '13', ''],
      'Installed with solar': ['', '', '', 'Yes', ''],
      'Virtual power plant ready': ['', '', '', 'Yes', ''],
      'Inverter manufacturer': [inverter.holder, '', '', inverter.holder, ''],
      'Inverter series': [inverter.series, '', '', inverter.series, ''],
      'Inverter model': [inverter.model, '', '', inverter.model, ''],
      'Inverter serial numbers': ['WW-FI1', '', '', 'WW-FI2', ''],
      'Deeming period': ['max', '1', '1', '', 'max'],
      'Installer name': times5(personal.installer),
      'Installer accreditation number': times5('A1234567'),
      'Designer accreditation number': times5('A1234567'),
      'Accredited design and installation': times5('Yes'),
      'Owner name': times5(personal.owner),
      'Owner contact': times5(personal.owner_contact),
      Claimant: times5('owner'),
    };
    const rows = [0, 1, 2, 3, 4].map((i) => Object.values(columns).map((values) => values[i]!));
    const request = {
      key: agent.key,
      headers: { 'content-type': 'text/csv' },
      body: csv(Object.keys(columns), ...rows),
    };
    const taken = await api.call('createClaimFile', request);
    expect(taken.body, taken.text).toMatchObject({ received: 5, accepted: 4 });
    expect(taken.body.claims[4]).toEqual({
      record: 5,
      line: 6,
      errors: [
        {
          column: 'Installation date',
          code: 'field_invalid',
          message: 'Installation date must be a day of the calendar as dd/mm/yyyy',
        },
      ],
    });
    const ids = taken.body.claims.slice(0, 4).map(({ id }: { id: string }) => id);
    const views = await Promise.all(ids.map((id: string) => decided(id)));
    expect(views.map((view) => [view.status, ...codes(view)])).toEqual(times5(['approved']).slice(1));
    const figures = await Promise.all(
      Object.values(kinds)
        .map((story) => story.figures)
        .map(calculated),
    );
    // The wind turbine of the file has the default hours.
    const plainWind = await calculated({ system_type: 'wind', kw: 2.9, deeming_years: 1 });
    expect(views.map(({ certificates }) => certificates)).toEqual([
      figures[0],
      plainWind,
      ...figures.slice(2),
    ]);

    const again = await api.call('createClaimFile', request);
    expect(again.body).toEqual(taken.body);
    const listed = await api.call('listClaims', { key: agent.key, query: { file: taken.body.id } });
    expect(
      listed.body.claims.map(({ id, record }: { id: string; record: number }) => [id, record]).sort(),
    ).toEqual(ids.map((id: string, i: number) => [id, i + 1]).sort());
    const { body: history } = await api.call('getClaimHistory', {
      key: agent.key,
      params: { claim: ids[0] },
    });
    expect(history.events).toHaveLength(1);
    const others = await api.call('listClaims', { key: otherAgent.key, query: { file: taken.body.id } });
    expect(others.body.claims).toEqual([]);
  });
});

describe('the public register', () => {
  it('shows a day once it is over, and who may claim for owners', async () => {
    expect((await api.call('getRegisterActions', { query: { date: today } })).body.code).toBe(
      'register_day_not_over',
    );
    expect((await api.call('getRegisterActions', { query: { date: '2026-01-01' } })).body).toEqual({
      actions: [],
    });
    const { body } = await api.call('getRegisteredAgents');
    expect(body.agents.map(({ name }: { name: string }) => name)).toEqual(['Careful Agency', 'Hasty Agency']);
  });
});

describe('personal data (L4)', () => {
  it('stands in no log and no metric of any service, whatever was done with it', async () => {
    const bad = { ...solar(['WW-L1'], []), owner: { name: personal.owner }, [personal.installer]: 1 };
    const refused = await api.call('createClaim', { key: agent.key, body: bad });
    expect(refused.status).toBe(400);
    await api.call('createClaim', {
      key: agent.key,
      headers: { 'content-type': 'application/json' },
      body: `{"owner": "${personal.owner}",`,
    });
    const logs = path.join(test.dataDir, 'logs');
    const texts = readdirSync(logs).map(
      (file) => [file, readFileSync(path.join(logs, file), 'utf8')] as const,
    );
    expect(texts.length).toBeGreaterThanOrEqual(5);
    expect(texts.some(([, text]) => text.includes('submission accepted'))).toBe(true);
    const metrics = await Promise.all(
      test.fleet.services.map(async ({ name, addresses }) => {
        const response = await fetch(`${addresses.ops}/metrics`);
        expect(response.status).toBe(200);
        return [`metrics of ${name}`, await response.text()] as const;
      }),
    );
    const secrets = [
      ...Object.values(personal),
      ...Object.values(personal).flatMap((text) => text.split(' ')),
    ];
    const found = [...texts, ...metrics].flatMap(([where, text]) =>
      secrets
        .filter((secret) => secret.length > 4 && text.includes(secret))
        .map((secret) => `${where}: ${secret}`),
    );
    expect(found).toEqual([]);
  });
});

function times5<T>(value: T): T[] {
  return Array.from({ length: 5 }, () => value);
}
