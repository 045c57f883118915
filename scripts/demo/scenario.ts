import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { sydneyDay } from '#shared/domain/days.ts';
import type { EngineUrls } from '../engines/engines.ts';
import { root } from '../engines/local.ts';
import type { Fleet } from '../fleet.ts';
import { runScript } from '../run-script.ts';
import { GatewayClient, until } from './client.ts';
import { type Cast, type PlantedFile, readModels, rivalFile, supplierFile } from './planted.ts';
import { inverterFile, inverterList, listedInverter, solarClaim } from './solar-claim.ts';

export interface SubmissionResult {
  readonly id: string;
  readonly title: string;
  readonly received: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly expected: Readonly<Record<string, number>>;
  readonly imbalance: number;
  readonly report: readonly ReportRow[];
}

export interface ReportRow {
  readonly record: number;
  readonly line: number;
  readonly outcome: string;
  readonly column: string;
  readonly value: string;
  readonly code: string;
  readonly sentence: string;
  readonly hint: string;
}

export interface ClaimResult {
  readonly id: string;
  readonly title: string;
  readonly decision: string;
  readonly certificates: number;
  readonly findings: readonly {
    readonly code: string;
    readonly effect: string;
    readonly subject: string;
    readonly detail: string;
  }[];
  readonly working: readonly string[];
  readonly expected: { readonly decision: string; readonly certificates: number; readonly finding?: string };
}

export interface DemoResult {
  readonly list: string;
  readonly submissions: readonly SubmissionResult[];
  /** A serial of a model whose listing has expired: registered, with a remark. */
  readonly expired: { readonly serial: string; readonly state: string; readonly remarks: readonly string[] };
  readonly claims: readonly ClaimResult[];
  readonly seconds: Readonly<Record<string, number>>;
  /** Everything that is not as planted; empty when all is well. */
  readonly differences: readonly string[];
}

const waitMs = 60_000;
const supplier = 'Sunrise Panel Imports Pty Ltd';
const rival = 'Harbour Solar Wholesale Pty Ltd';
const realList = path.join(root, '..', 'shared', 'data', 'cec_pv_modules_20260423.csv');
const syntheticList = path.join(root, 'deploy', 'lists', 'synthetic_pv_modules_20260423.csv');

/** The story of the demo: what the day of a registry brings, with every figure known beforehand. */
export async function runScenario(
  fleet: Fleet,
  operatorKey: string,
  progress: (text: string) => void,
): Promise<DemoResult> {
  const seconds: Record<string, number> = {};
  const timed = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const from = performance.now();
    const result = await work();
    seconds[name] = Math.round(performance.now() - from) / 1_000;
    return result;
  };

  const list = existsSync(realList) ? realList : syntheticList;
  progress(`importing the approved list of PV modules (${path.basename(list)})`);
  await timed('import', async () => {
    await importList(fleet.engines.urls, list, 'panel');
    await importList(fleet.engines.urls, inverterList, 'inverter');
  });

  progress('creating a regulator, two suppliers, a verification service provider and a certificate agent');
  const keys = await timed('accounts', () => createAccounts(fleet.gatewayUrl, operatorKey));

  const cast = castOf(Date.now());
  const models = await readModels(await readFile(list, 'utf8'));
  const planted = supplierFile(models, cast);
  const rivals = rivalFile(models, cast);
  const submissions: SubmissionResult[] = [];
  const upload = async (
    title: string,
    key: string,
    csv: string,
    expected: Record<string, number>,
    product = 'panel',
  ) => {
    progress(title);
    submissions.push(
      await timed(title, () => submit(fleet.gatewayUrl, key, { title, csv, expected, product })),
    );
  };
  await upload(`${rival} uploads ${rivals.received} panels`, keys.rival, rivals.csv, {
    registered: rivals.received,
  });
  await upload(
    `${supplier} uploads ${planted.received} panels, some with faults`,
    keys.supplier,
    planted.csv,
    planted.outcomes,
  );
  await upload('the same file again', keys.supplier, planted.csv, planted.outcomesAgain);
  await upload(
    'its verification service provider uploads part of it too',
    keys.vsp,
    head(planted.csv, 100),
    duplicatesOnly(planted, 100),
  );
  await upload(
    `${supplier} uploads three inverters`,
    keys.supplier,
    inverterFile([0, 1, 2].map(inverterSerial)),
    { registered: 3 },
    'inverter',
  );

  progress('looking up a serial of a model whose listing has expired');
  const expired = await lookUp(fleet.gatewayUrl, keys.supplier, planted.expired.serial);
  progress(
    'claiming certificates: one good claim, one for a serial nobody supplied, one for a serial already claimed',
  );
  const claims = await timed('claims', () => submitClaims(fleet.gatewayUrl, keys.agent, planted, cast));
  return {
    list: path.basename(list),
    submissions,
    expired,
    claims,
    seconds,
    differences: [
      ...submissions.flatMap(differencesOf),
      ...expiredDifference(expired),
      ...claims.flatMap(claimDifferences),
    ],
  };
}

function castOf(now: number): Cast {
  return { supplier, rival, today: sydneyDay(now), installed: sydneyDay(now - 30 * 86_400_000) };
}

/** The importer is the one that operators use. */
export async function importList(urls: EngineUrls, file: string, product: string): Promise<void> {
  const { code, out, err } = await runScript(urls, 'import-cec-list', file, '--product', product);
  if (code !== 0) throw new Error(`the list ${file} was not imported:\n${out}${err}`);
}

async function createAccounts(url: string, operatorKey: string) {
  const operator = new GatewayClient(url, operatorKey);
  const create = async (name: string, kind: string, suppliers?: readonly string[]) => {
    const account = await operator.post<{ id: string }>('/v1/accounts', {
      name,
      kind,
      ...(suppliers ? { suppliers } : {}),
    });
    const { key } = await operator.post<{ key: string }>(`/v1/accounts/${account.id}/keys`, {
      label: 'demo',
    });
    return key;
  };
  return {
    regulator: await create('Clean Energy Regulator', 'regulator'),
    supplier: await create(supplier, 'supplier'),
    rival: await create(rival, 'supplier'),
    vsp: await create('Panelcheck Verification Services', 'vsp', [supplier]),
    agent: await create('Green Certificates Agency', 'agent'),
  };
}

interface StatusView {
  readonly id: string;
  readonly state: string;
  readonly received: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly imbalance: number | null;
}

async function submit(
  url: string,
  key: string,
  upload: { title: string; csv: string; expected: Record<string, number>; product: string },
): Promise<SubmissionResult> {
  const client = new GatewayClient(url, key);
  const accepted = await client.upload<{ id: string }>(
    `/v1/submissions?product=${upload.product}`,
    upload.csv,
  );
  const address = `/v1/submissions/${accepted.id}`;
  const status = await until(
    upload.title,
    () => client.get<StatusView>(address),
    ({ state }) => state === 'final',
    waitMs,
  );
  const report = await client.get<{ rows: ReportRow[] }>(`${address}/report?format=json`);
  return {
    id: status.id,
    title: upload.title,
    received: status.received,
    outcomes: status.outcomes,
    expected: upload.expected,
    imbalance: status.imbalance ?? Number.NaN,
    report: report.rows,
  };
}

async function lookUp(url: string, key: string, serial: string) {
  const client = new GatewayClient(url, key);
  type Answer = { state: string; entries: { state: string; remarks: string[] }[] };
  const answer = await client.get<Answer>(`/v1/serials/panel/${encodeURIComponent(serial)}`);
  const [entry] = answer.entries;
  return { serial, state: entry?.state ?? answer.state, remarks: entry?.remarks ?? [] };
}

function inverterSerial(i: number): string {
  return `BG26IN${String(i).padStart(6, '0')}`;
}

async function submitClaims(
  url: string,
  key: string,
  planted: PlantedFile,
  cast: Cast,
): Promise<ClaimResult[]> {
  const client = new GatewayClient(url, key);
  const { holder, model } = planted.good.model;
  const claimOf = (address: string, serials: readonly string[], inverter: number) =>
    solarClaim({
      installed: cast.installed,
      assigned: cast.today,
      address,
      panels: { holder, model, serials },
      inverters: { ...listedInverter, serials: [inverterSerial(inverter)] },
    });
  const { serials } = planted.good;
  const entitled = certificatesOf(cast.installed);
  const stories = [
    {
      title: 'a good claim',
      claim: claimOf('1 Example Street', serials.slice(0, 12), 0),
      expected: { decision: 'approved', certificates: entitled },
    },
    {
      title: 'a serial that nobody supplied',
      claim: claimOf('2 Example Street', [...serials.slice(12, 14), 'SL26NOBODY'], 1),
      expected: { decision: 'held', certificates: 0, finding: 'serial_not_found' },
    },
    {
      title: 'a serial that is already claimed',
      claim: claimOf('3 Example Street', [serials[0]!, ...serials.slice(14, 16)], 2),
      expected: { decision: 'refused', certificates: 0, finding: 'serial_already_claimed' },
    },
  ];
  const results: ClaimResult[] = [];
  for (const { title, claim, expected } of stories) {
    const { id } = await client.post<{ id: string }>('/v1/claims', claim);
    type View = Omit<ClaimResult, 'title' | 'expected'> & { state: string };
    const view = await until(
      title,
      () => client.get<View>(`/v1/claims/${id}`),
      ({ decision }) => decision !== null && decision !== '' && decision !== undefined,
      waitMs,
    );
    results.push({ ...view, title, expected });
  }
  return results;
}

/** 6.6 kW in zone 3 (1.382) for every year that is left, by integers of its own: not the engine's figure. */
function certificatesOf(installed: string): number {
  const years = Math.max(0, 2031 - Number(installed.slice(0, 4)));
  return Math.floor((6_600 * 1_382 * years) / 1_000_000);
}

function head(csv: string, rows: number): string {
  return `${csv
    .split('\r\n')
    .slice(0, rows + 1)
    .join('\r\n')}\r\n`;
}

/** What the first rows of the supplier's file are for somebody else who acts for the same supplier (SUP-4). */
function duplicatesOnly(planted: PlantedFile, rows: number): Record<string, number> {
  const texts = planted.csv.split('\r\n').slice(1, rows + 1);
  const notListed = texts.filter((text) => text.includes('NOT-A-MODEL')).length;
  const conflict = texts.filter((text) => text.includes('SL26RV')).length;
  const counts = { duplicate: rows - notListed - conflict, not_listed: notListed, conflict };
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

function differencesOf({ title, outcomes, expected, imbalance, report }: SubmissionResult): string[] {
  const differences: string[] = [];
  const names = new Set([...Object.keys(outcomes), ...Object.keys(expected)]);
  for (const name of names)
    if ((outcomes[name] ?? 0) !== (expected[name] ?? 0))
      differences.push(`${title}: ${name} is ${outcomes[name] ?? 0}, planted were ${expected[name] ?? 0}`);
  if (imbalance !== 0) differences.push(`${title}: the imbalance is ${imbalance}`);
  const unregistered = Object.entries(expected).reduce(
    (sum, [name, count]) => sum + (name === 'registered' ? 0 : count),
    0,
  );
  if (report.length !== unregistered)
    differences.push(`${title}: the report has ${report.length} rows, planted were ${unregistered}`);
  return differences;
}

function expiredDifference(expired: DemoResult['expired']): string[] {
  if (expired.state === 'registered' && expired.remarks.includes('listing_expired')) return [];
  return [
    `${expired.serial} is ${expired.state} with the remarks ${expired.remarks.join(', ') || 'none'}, planted was an expired listing`,
  ];
}

function claimDifferences({ title, decision, certificates, findings, expected }: ClaimResult): string[] {
  const differences: string[] = [];
  if (decision !== expected.decision)
    differences.push(`${title}: ${decision}, planted was ${expected.decision}`);
  if (certificates !== expected.certificates)
    differences.push(`${title}: ${certificates} certificates, planted were ${expected.certificates}`);
  if (expected.finding && !findings.some(({ code }) => code === expected.finding))
    differences.push(`${title}: ${expected.finding} is not among the findings`);
  return differences;
}
