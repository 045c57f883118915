// Writes deploy/lists/synthetic_pv_modules_20260423.csv: an approved list of PV modules in the shape of the real one, with
// its dirt (DIRT-1 to 15 of the domain rules) in about the same shares. Every name in it is made up. The same every time.
// node test/support/synthetic-list.ts
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const syntheticListFile = fileURLToPath(
  new URL('../../deploy/lists/synthetic_pv_modules_20260423.csv', import.meta.url),
);

interface Row {
  readonly holder: string;
  readonly model: string;
  readonly approved: number;
  readonly expires: number;
}

type Random = () => number;

/** Mulberry32: numbers from 0 to 1 that depend on the seed alone. */
function randomFrom(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const dayMs = 86_400_000;
const day = (text: string): number => Date.parse(`${text}T00:00:00Z`) / dayMs;
const snapshot = day('2026-04-23');
const firstApproval = day('2019-03-14');
const lastApproval = day('2026-04-09');
const firstExpiry = day('2024-01-02');
const lastExpiry = day('2029-04-09');

const distinctRows = 1_640;
const repeatedRows = 360;
const expiredShare = 0.43;

function whole(random: Random, least: number, most: number): number {
  return least + Math.floor(random() * (most - least + 1));
}

function pick<T>(random: Random, values: readonly T[]): T {
  return values[Math.floor(random() * values.length)] as T;
}

const starts = [
  'Vor',
  'Zen',
  'Kel',
  'Quo',
  'Mar',
  'Tel',
  'Ombr',
  'Ix',
  'Fal',
  'Drus',
  'Yel',
  'Hax',
  'Nor',
  'Pryl',
];
const middles = ['lu', 'tha', 'ma', 'vi', 'ndo', 'ske', 'rri', 'po'];
const finals = ['ne', 'rix', 'lla', 'ntis', 'gard', 'mo', 'vek', 'th'];
const firms = [
  'Solar Co Ltd',
  'New Energy Technology Co Ltd',
  'Photovoltaics GmbH',
  'Pty Ltd',
  'PV Tech (Lunden) Co Ltd',
  'Energy GmbH & Co KG',
  'Renewable Power Corporation',
];

/** Most holders have a few models, some have hundreds: the n-th has a share of about 1/n. */
function makeHolders(random: Random): readonly string[] {
  const holders = new Set<string>();
  while (holders.size < 44) {
    holders.add(
      `${pick(random, starts)}${pick(random, middles)}${pick(random, finals)} ${pick(random, firms)}`,
    );
  }
  return [...holders];
}

/** DIRT-11 with its shares: the certificate's standard above all, others now and then, also two in one model. */
function suffixOf(random: Random): string {
  const share = random();
  if (share < 0.52) return ' (IEC 61215-2021)';
  if (share < 0.6) return `${pick(random, ['(DG)', '(ND)', '(R)', '(BLH)'])} (IEC 61215-2021)`;
  if (share < 0.68) return pick(random, [' (IEC1500V)', ' (IEC1000V)', ' (1500)']);
  if (share < 0.66)
    return pick(random, [' (II)', ' (2016 / 2021)', ' (60 cell)', ' (60 Cell)', '(120 Cell)']);
  return '';
}

function baseModel(random: Random, holder: string): string {
  const letters = holder.replace(/[^A-Za-z]/g, '').toUpperCase();
  const cells = pick(random, [48, 54, 60, 66, 72, 78]);
  const shape = pick(random, ['M', 'N', 'MH', 'RNs', 'HD', 'TB']);
  const watts = whole(random, 54, 144) * 5;
  const slash = random() < 0.22 ? pick(random, ['/BB', '/V', '/108BBA', '/F-BH']) : '';
  return `${letters.slice(0, 3)}${cells}${shape}${slash}-${watts}`;
}

function window(random: Random): { readonly approved: number; readonly expires: number } {
  const expired = random() < expiredShare;
  const expires = expired ? whole(random, firstExpiry, snapshot - 1) : whole(random, snapshot, lastExpiry);
  const length = random() < 0.6 ? 1096 : whole(random, 60, 1_700);
  const approved = Math.min(Math.max(expires - length, firstApproval), lastApproval);
  return { approved, expires };
}

const degreeHolder = '7LUMEN° Technology GmbH';

/** Rows that stand for dirt which chance would not bring: spellings, shared models, second windows, suffix forms. */
function plantedRows(random: Random, holders: readonly string[]): readonly Row[] {
  const rows: Row[] = [];
  const add = (holder: string, model: string, times = window(random)): void => {
    rows.push({ holder, model, ...times });
  };
  // DIRT-8: a degree sign in holder and model.
  for (let watts = 425; watts < 445; watts += 5) {
    add(degreeHolder, `7LUMEN°-FullBlack-DG-01-${watts} (IEC 61215-2021)`);
  }
  // DIRT-7: one holder in two spellings, with models under both.
  for (const [index, holder] of holders.slice(4, 7).entries()) {
    for (let watts = 400; watts <= 400 + index * 5; watts += 5) {
      const times = window(random);
      add(holder, `TWIN-${index}-${watts}`, times);
      add(holder.toUpperCase(), `TWIN-${index}-${watts}`, times);
    }
  }
  // DIRT-6: one model under several holders.
  for (let watts = 500; watts < 545; watts += 5) {
    add(holders[8] as string, `OEM-144-${watts}`);
    add(holders[9] as string, `OEM-144-${watts}`);
  }
  // DIRT-5, WIN-3: two windows of one key; most share the expiry, some the approval. No gaps.
  for (let index = 0; index < 13; index++) {
    const times = { approved: day('2024-04-16') + index, expires: day('2028-12-09') - index };
    const other = index < 10 ? { approved: times.approved + 200 } : { expires: times.expires - 500 };
    add(holders[10] as string, `RENEWED-${600 + index * 5} (IEC 61215-2021)`, times);
    add(holders[10] as string, `RENEWED-${600 + index * 5} (IEC 61215-2021)`, { ...times, ...other });
  }
  // DIRT-12: a base model with and without its suffix.
  for (let watts = 300; watts < 600; watts += 5) {
    add(holders[11] as string, `FORMS-${watts}`);
    add(holders[11] as string, `FORMS-${watts}${watts % 50 === 0 ? ' (II)' : ' (IEC 61215-2021)'}`);
  }
  // DIRT-15, and both ends of DIRT-2.
  add(
    'Vorlune Integrated Photovoltaic Module Manufacture Co Ltd',
    'VLN72M-FullBlack-DG-Long-440 (IEC 61215-2021)',
    {
      approved: firstApproval,
      expires: firstExpiry,
    },
  );
  add(holders[0] as string, 'NEWEST-1 (IEC 61215-2021)', { approved: lastApproval, expires: lastExpiry });
  return rows;
}

function makeRows(random: Random): readonly Row[] {
  const holders = makeHolders(random);
  const rows = new Map<string, Row>();
  const add = (row: Row): void => {
    const key = `${row.holder}\n${row.model}`.toUpperCase();
    if (!rows.has(key)) rows.set(key, row);
  };
  const planted = plantedRows(random, holders);
  while (rows.size + planted.length < distinctRows) {
    const holder = holders[Math.floor(holders.length ** random()) - 1] as string;
    add({ holder, model: baseModel(random, holder) + suffixOf(random), ...window(random) });
  }
  return [...planted, ...rows.values()].sort((a, b) =>
    compare(`${a.holder}\n${a.model}`, `${b.holder}\n${b.model}`),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** DIRT-3: exact repeats, each row at most twice, never beside each other. */
function withRepeats(random: Random, rows: readonly Row[]): readonly Row[] {
  const all = [...rows];
  const order = rows.map((row) => ({ row, at: random() })).sort((a, b) => a.at - b.at);
  for (const { row } of order.slice(0, repeatedRows)) {
    const place = (all.indexOf(row) + 2 + whole(random, 0, 40)) % all.length;
    const clear = all[place] !== row && all[place - 1] !== row;
    all.splice(clear ? place : (place + 2) % all.length, 0, row);
  }
  return all;
}

/** CEC-5: the day without a leading zero, the month with one. */
function dateCell(days: number): string {
  const [year, month, dayOfMonth] = new Date(days * dayMs).toISOString().slice(0, 10).split('-');
  return `${Number(dayOfMonth)}/${month}/${year}`;
}

/** CEC-6: UTF-8 without BOM, CRLF. */
export function syntheticList(): string {
  const random = randomFrom(20_260_423);
  const rows = withRepeats(random, makeRows(random));
  const lines = rows.map(
    ({ holder, model, approved, expires }) =>
      `${holder},${model},${dateCell(approved)},${dateCell(expires)},Yes`,
  );
  const headings = 'Licensee/Certificate Holder,Model Number,CEC Approved Date,Expiry Date,Fire Tested';
  return `${[headings, ...lines].join('\r\n')}\r\n`;
}

if (import.meta.main) writeFileSync(syntheticListFile, syntheticList());
