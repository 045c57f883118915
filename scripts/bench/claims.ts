import { setTimeout as delay } from 'node:timers/promises';
import { quotedCell } from '../csv-cell.ts';
import { solarClaim } from '../demo/solar-claim.ts';
import type { BenchFleet } from './bench-fleet.ts';
import { type Latency, latencyOf } from './statistics.ts';

const warmUps = 3;
const serialsPerClaim = 20;
/** Each claim finds the fleet idle. */
const pauseMs = 500;
const waitMs = 30_000;
/** Within the windows of most listings of the snapshot. */
const installed = '2026-04-02';

export interface ClaimsRun {
  readonly claims: number;
  readonly decisions: Readonly<Record<string, number>>;
  /** From the request with the claim to the answer with its decision. */
  readonly decidedMs: Latency;
}

/** One claim of twenty serials at a time on an idle fleet. */
export async function runClaims(bench: BenchFleet, claims: number): Promise<ClaimsRun> {
  const total = warmUps + claims;
  const { holder, model } = bench.models[0]!;
  const serials = Array.from(
    { length: total * serialsPerClaim },
    (_, i) => `BC${String(i).padStart(8, '0')}`,
  );
  const rows = serials.map((serial) => [bench.supplier, holder, model, serial].map(quotedCell).join(','));
  const file = ['Supplier name,Licensee/Certificate holder,Model number,Serial number', ...rows, ''].join(
    '\r\n',
  );
  await bench.uploader.state(await bench.uploader.upload(Buffer.from(file)), waitMs);
  const times: number[] = [];
  const decisions: Record<string, number> = {};
  for (let n = 0; n < total; n++) {
    const own = serials.slice(n * serialsPerClaim, (n + 1) * serialsPerClaim);
    await delay(pauseMs);
    const begun = performance.now();
    const { id } = await bench.agent.post<{ id: string }>(
      '/v1/claims',
      claimOf(n, { holder, model, serials: own }),
    );
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

/** Confirmed on site, so that its inverter need not be in the ledger. */
function claimOf(n: number, panels: { holder: string; model: string; serials: readonly string[] }): object {
  const claim = solarClaim({
    installed,
    assigned: installed,
    address: `${n} Bench Street`,
    panels,
    inverters: { holder: 'Bench Inverters', model: 'BI-5', serials: [`BI${n}`] },
  });
  return { ...claim, verified: true, spv_package: 'bench.xml' };
}
