import { setTimeout as delay } from 'node:timers/promises';
import { sydneyDay } from '#shared/domain/days.ts';
import { panelFile, panelRow } from '../demo/planted.ts';
import { importList } from '../demo/scenario.ts';
import { inverterFile, inverterList, listedInverter, solarClaim } from '../demo/solar-claim.ts';
import type { BenchFleet } from './bench-fleet.ts';
import { type Latency, latencyOf } from './statistics.ts';

const warmUps = 3;
const serialsPerClaim = 20;
/** Each claim finds the fleet idle. */
const pauseMs = 500;
const waitMs = 30_000;
const installedDaysAgo = 30;

export interface ClaimsRun {
  readonly claims: number;
  readonly decisions: Readonly<Record<string, number>>;
  /** From the request with the claim to the answer with its decision. */
  readonly decidedMs: Latency;
}

/** One claim of twenty serials at a time on an idle fleet. */
export async function runClaims(bench: BenchFleet, claims: number): Promise<ClaimsRun> {
  const total = warmUps + claims;
  const installed = sydneyDay(Date.now() - installedDaysAgo * 86_400_000);
  const panel = bench.models.find(({ approved, expires }) => approved <= installed && installed <= expires);
  if (!panel) throw new Error(`the list has no model that was listed on ${installed}`);
  const { holder, model } = panel;
  const serials = Array.from(
    { length: total * serialsPerClaim },
    (_, i) => `BC${String(i).padStart(8, '0')}`,
  );
  await register(bench, 'panel', panelFile(serials.map((serial) => panelRow(bench.supplier, panel, serial))));
  const inverters = Array.from({ length: total }, (_, i) => `BI${String(i).padStart(8, '0')}`);
  await importList(bench.fleet.engines.urls, inverterList, 'inverter');
  await register(bench, 'inverter', inverterFile(inverters));
  const times: number[] = [];
  const decisions: Record<string, number> = {};
  for (let n = 0; n < total; n++) {
    const claim = solarClaim({
      installed,
      assigned: installed,
      address: `${n} Bench Street`,
      panels: { holder, model, serials: serials.slice(n * serialsPerClaim, (n + 1) * serialsPerClaim) },
      inverters: { ...listedInverter, serials: [inverters[n]!] },
    });
    await delay(pauseMs);
    const begun = performance.now();
    const { id } = await bench.agent.post<{ id: string }>('/v1/claims', claim);
    const decision = await decisionOf(bench, id);
    const took = performance.now() - begun;
    if (n < warmUps) continue;
    times.push(took);
    decisions[decision] = (decisions[decision] ?? 0) + 1;
  }
  return { claims, decisions, decidedMs: latencyOf(times) };
}

async function decisionOf(bench: BenchFleet, id: string): Promise<string> {
  const deadline = Date.now() + waitMs;
  for (;;) {
    const view = await bench.agent.get<{ decision?: string | null }>(`/v1/claims/${id}?wait_ms=10000`);
    if (view.decision) return view.decision;
    if (Date.now() > deadline) throw new Error(`claim ${id} was not decided in ${waitMs} ms`);
  }
}

/** Claims are only approved for what is in the ledger. */
async function register({ importer, uploader }: BenchFleet, product: string, csv: string): Promise<void> {
  const { id } = await importer.client.upload<{ id: string }>(`/v1/submissions?product=${product}`, csv);
  const { state, received, outcomes } = await uploader.state(id, waitMs);
  if (state !== 'final' || outcomes.registered !== received)
    throw new Error(
      `the ${product}s to be claimed were not registered: ${JSON.stringify({ state, outcomes })}`,
    );
}
