import { quotedCell } from '../csv-cell.ts';
import { type ListedModel, panelHeadings } from '../demo/planted.ts';

const rowsPerPiece = 1_000;
const modelsMax = 40;

/** CSV of so many good rows, piece by piece: serials begin with `series`, and come once. */
export function* rowsOf(
  supplier: string,
  models: readonly ListedModel[],
  options: { readonly series: string; readonly rows: number },
): Generator<string> {
  const starts = models
    .slice(0, modelsMax)
    .map(({ holder, model }) => [supplier, holder, model].map(quotedCell).join(','));
  yield `${panelHeadings}\n`;
  for (let row = 0; row < options.rows; row += rowsPerPiece) {
    const count = Math.min(rowsPerPiece, options.rows - row);
    const lines = Array.from(
      { length: count },
      (_, i) => `${starts[(row + i) % starts.length]},${options.series}${String(row + i).padStart(9, '0')}\n`,
    );
    yield lines.join('');
  }
}

export function fileOf(
  supplier: string,
  models: readonly ListedModel[],
  options: { readonly series: string; readonly rows: number },
): Buffer {
  return Buffer.from([...rowsOf(supplier, models, options)].join(''));
}
