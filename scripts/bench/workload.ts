import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { quotedCell } from '../csv-cell.ts';
import { type ListedModel, panelFile, readModels } from '../demo/planted.ts';
import { root } from '../engines/local.ts';

export const rowsPerFile = 5_000;
const modelsPerFile = 40;

const realList = path.join(root, '..', 'shared', 'data', 'cec_pv_modules_20260423.csv');
const syntheticList = path.join(root, 'deploy', 'lists', 'synthetic_pv_modules_20260423.csv');

/** The real list when it is there, else the one that the project ships. */
export const approvedList = existsSync(realList) ? realList : syntheticList;

export async function listedModels(): Promise<readonly ListedModel[]> {
  return readModels(await readFile(approvedList, 'utf8'));
}

/** Endless good files of panels: serials are never repeated, each file names some models of the list. */
export class PanelFiles {
  readonly #supplier: string;
  readonly #models: readonly ListedModel[];
  readonly #series: string;
  #serials = 0;

  /** `series` begins every serial: two of them share none. */
  constructor(supplier: string, models: readonly ListedModel[], series: string) {
    this.#supplier = supplier;
    this.#models = models;
    this.#series = series;
  }

  next(rows = rowsPerFile): Buffer {
    const first = (this.#serials / rowsPerFile) * modelsPerFile;
    const starts = Array.from({ length: modelsPerFile }, (_, i) => {
      const { holder, model } = this.#models[Math.floor(first + i) % this.#models.length]!;
      return [this.#supplier, holder, model].map(quotedCell).join(',');
    });
    const lines = Array.from({ length: rows }, (_, i) => `${starts[i % modelsPerFile]},${this.#serial()}`);
    return Buffer.from(panelFile(lines));
  }

  /** Not in order, as the serials of a pallet are not: neighbours in a file are no neighbours in an index. */
  #serial(): string {
    const number = BigInt(this.#serials++);
    // Odd and therefore a permutation of 40 bits: every number comes once.
    return `${this.#series}${((number * 0x9e3779b1n + 12345n) & 0xff_ffff_ffffn).toString(16).toUpperCase().padStart(10, '0')}`;
  }
}
