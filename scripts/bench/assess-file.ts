import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import { claimColumns } from '#shared/domain/claims/index.ts';
import { holders, serialSql } from './assess-ledger.ts';

export const serialsPerClaim = 20;

/** Coprime to any size that is asked for: so many steps through the ledger meet no serial twice. */
const stride = 982_451_653;

interface Made {
  readonly claim: number;
  readonly holder: number;
  readonly serials: readonly string[];
  readonly inverter: string;
}

/** Numbers from everywhere in the ledger, all of one brand in a claim, as an installation has. */
export function madeSql(rows: number, claims: number): string {
  const perBrand = Math.floor(rows / holders);
  return `SELECT toUInt32(claim) AS claim, toUInt32(claim % ${holders}) AS holder, groupArray(serial) AS serials, any(spare) AS inverter
FROM (SELECT intDiv(n, ${serialsPerClaim}) AS claim,
        ((intDiv(claim, ${holders}) * ${serialsPerClaim} + n % ${serialsPerClaim}) * ${stride} % ${perBrand}) * ${holders} + claim % ${holders} AS number, ${serialSql} AS serial,
        concat('GI', leftPad(toString(claim), 9, '0')) AS spare
    FROM (SELECT number AS n FROM numbers(${claims * serialsPerClaim})))
GROUP BY claim ORDER BY claim`;
}

/** A file of good claims; in one of fifty a serial is not in the ledger. */
export async function writeClaimFile(
  clickhouse: Clickhouse,
  file: string,
  rows: number,
  claims: number,
): Promise<void> {
  const made = clickhouse.queryStream<Made>(madeSql(rows, claims), {}, { timeoutMs: 600_000 });
  await pipeline(Readable.from(lines(made), { objectMode: false }), createWriteStream(file));
}

async function* lines(made: AsyncIterable<readonly Made[]>): AsyncGenerator<string, void> {
  yield `${claimColumns.map(({ heading }) => heading).join(',')}\r\n`;
  for await (const batch of made) yield `${batch.map(lineOf).join('\r\n')}\r\n`;
}

function lineOf({ claim, holder, serials, inverter }: Made): string {
  const named = claim % 50 === 7 ? [...serials.slice(1), `XX${claim}`] : serials;
  const cells: Readonly<Record<string, string>> = {
    unit_kind: 'solar',
    installed_on: '02/03/2026',
    address: `${claim} Bench Street`,
    locality: 'Newcastle West',
    state: 'NSW',
    postcode: '2302',
    installation_type: 'New',
    complete_unit: 'Yes',
    rated_power_kw: '6.6',
    'system.holder': `Holder ${holder} Pty Ltd`,
    'system.model': `MODEL-${holder}`,
    'panel.serials': named.join(';'),
    panel_count: String(serialsPerClaim),
    'inverter.holder': `Holder ${claim % holders} Pty Ltd`,
    'inverter.model': `MODEL-${claim % holders}`,
    'inverter.serials': inverter,
    deeming: 'max',
    installer: 'Ann Installer',
    installer_accreditation: 'A1234567',
    designer_accreditation: 'A1234567',
    accredited: 'Yes',
    owner: 'Owen Owner',
    owner_contact: 'owen@example.org',
    claimant: 'owner',
  };
  return claimColumns.map(({ field }) => cells[field] ?? '').join(',');
}
