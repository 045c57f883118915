import { parseString } from 'fast-csv';
import { quotedCell } from '../csv-cell.ts';

/** A model of the approved list, with its one window. Days are yyyy-mm-dd. */
export interface ListedModel {
  readonly holder: string;
  readonly model: string;
  readonly approved: string;
  readonly expires: string;
}

export interface PlantedFile {
  readonly csv: string;
  readonly received: number;
  readonly outcomes: Readonly<Record<string, number>>;
  /** What the same file, sent again, must give. */
  readonly outcomesAgain: Readonly<Record<string, number>>;
  /** A registered serial of a model whose listing has expired. */
  readonly expired: { readonly serial: string };
  /** Registered serials of one current model, for a claim. */
  readonly good: { readonly model: ListedModel; readonly serials: readonly string[] };
}

export const rowsOfFile = 5_000;
const planted = { notListed: 12, expired: 30, repeated: 8, ofAnother: 25, forClaim: 20 } as const;

/** Of a file of panels. */
export const panelHeadings = 'Supplier name,Licensee/Certificate holder,Model number,Serial number';

/** The models of a PV list that stand in it once, in its order. */
export async function readModels(csv: string): Promise<readonly ListedModel[]> {
  const rows = await new Promise<string[][]>((resolve, reject) => {
    const all: string[][] = [];
    parseString<string[], string[]>(csv, { skipLines: 1, ignoreEmpty: true })
      .on('error', reject)
      .on('data', (row: string[]) => all.push(row))
      .on('end', () => resolve(all));
  });
  const counts = new Map<string, number>();
  const keyOf = (row: readonly string[]) => `${row[0]}\n${row[1]}`.toUpperCase();
  for (const row of rows) counts.set(keyOf(row), (counts.get(keyOf(row)) ?? 0) + 1);
  return rows
    .filter((row) => counts.get(keyOf(row)) === 1)
    .map(([holder, model, approved, expires]) => ({
      holder: holder!,
      model: model!,
      approved: isoDay(approved!),
      expires: isoDay(expires!),
    }));
}

function isoDay(text: string): string {
  const [day, month, year] = text.split('/');
  return `${year}-${month!.padStart(2, '0')}-${day!.padStart(2, '0')}`;
}

export interface Cast {
  readonly supplier: string;
  readonly rival: string;
  /** Listed on both days: a claim may be made for a unit of it that was installed on `installed`. */
  readonly today: string;
  readonly installed: string;
}

/** The rival's file: rows that the supplier's file will claim as its own. */
export function rivalFile(models: readonly ListedModel[], cast: Cast): { csv: string; received: number } {
  const rows = disputed(current(models, cast)).map(([model, serial]) => panelRow(cast.rival, model, serial));
  return { csv: panelFile(rows), received: rows.length };
}

/** Made from the list alone: the same list gives the same file. The faults lie among the good rows. */
export function supplierFile(models: readonly ListedModel[], cast: Cast): PlantedFile {
  const listed = current(models, cast);
  const expired = models.filter(({ expires }) => expires < cast.today);
  if (listed.length === 0 || expired.length === 0)
    throw new Error('the list has no current or no expired model: is it a list of another time?');

  const claimed = Array.from({ length: planted.forClaim }, (_, i) => serialOf('CL', i));
  const faulty = [
    ...claimed.map((serial) => panelRow(cast.supplier, listed[0]!, serial)),
    ...times(planted.notListed, (i) =>
      panelRow(cast.supplier, { ...listed[i]!, model: `NOT-A-MODEL-${i}` }, serialOf('NL', i)),
    ),
    ...times(planted.expired, (i) =>
      panelRow(cast.supplier, expired[i % expired.length]!, serialOf('EX', i)),
    ),
    ...disputed(listed).map(([model, serial]) => panelRow(cast.supplier, model, serial)),
  ];
  const repeats = times(planted.repeated, (i) => panelRow(cast.supplier, listed[0]!, claimed[i]!));
  const plain = times(rowsOfFile - faulty.length - repeats.length, (i) =>
    panelRow(cast.supplier, listed[i % listed.length]!, serialOf('OK', i)),
  );
  const rows = [...interleaved(plain, faulty), ...repeats];
  const { notListed, repeated, ofAnother } = planted;
  const registered = rowsOfFile - notListed - repeated - ofAnother;
  return {
    csv: panelFile(rows),
    received: rows.length,
    outcomes: { registered, not_listed: notListed, duplicate: repeated, conflict: ofAnother },
    outcomesAgain: { not_listed: notListed, duplicate: registered + repeated, conflict: ofAnother },
    expired: { serial: serialOf('EX', 0) },
    good: { model: listed[0]!, serials: claimed },
  };
}

function current(models: readonly ListedModel[], cast: Cast): readonly ListedModel[] {
  return models.filter(({ approved, expires }) => approved <= cast.installed && expires >= cast.today);
}

function disputed(listed: readonly ListedModel[]): readonly (readonly [ListedModel, string])[] {
  return times(planted.ofAnother, (i) => [listed[i % listed.length]!, serialOf('RV', i)] as const);
}

function serialOf(series: string, i: number): string {
  return `SL26${series}${String(i).padStart(7, '0')}`;
}

export function panelRow(
  supplier: string,
  { holder, model }: Pick<ListedModel, 'holder' | 'model'>,
  serial: string,
): string {
  return [supplier, holder, model, serial].map(quotedCell).join(',');
}

export function panelFile(rows: readonly string[]): string {
  return `${[panelHeadings, ...rows].join('\r\n')}\r\n`;
}

/** Spreads `few` evenly over `many`. */
function interleaved(many: readonly string[], few: readonly string[]): string[] {
  const step = Math.floor(many.length / (few.length + 1));
  return many.flatMap((text, i) => {
    const next = i % step === step - 1 ? few[Math.floor(i / step)] : undefined;
    return next === undefined ? [text] : [text, next];
  });
}

function times<T>(count: number, make: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => make(i));
}
