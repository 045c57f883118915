import { rowsMaxDefault } from './collect.ts';

/** Most rows of a submission (UP-1): by channel, and for files by the guidance that they follow, where it has its own. */
export interface RowLimits {
  readonly csv: number;
  readonly json: number;
  /** By name of the guidance. */
  readonly guidance: Readonly<Record<string, number>>;
}

export const rowLimitsDefault: RowLimits = {
  csv: rowsMaxDefault,
  json: rowsMaxDefault,
  guidance: { vsp: 1_000 },
};

/** A submission is one transaction: more rows than this take too long to write. */
const rowsMost = 5_000;

/** As in `csv=5000, json=5000, csv:vsp=1000`; what is not named keeps its default. */
export function parseRowLimits(text: string): RowLimits {
  const limits = { ...rowLimitsDefault, guidance: { ...rowLimitsDefault.guidance } };
  for (const part of text.split(',')) {
    const [, channel, guidance, digits] =
      /^\s*(csv|json)(?::([a-z][a-z0-9-]*))?=(\d{1,6})\s*$/.exec(part) ?? [];
    const rows = Number(digits);
    if (channel === undefined || (guidance !== undefined && channel !== 'csv'))
      throw new Error(`has "${part.trim()}" where csv=, json= or csv:GUIDANCE= and a number are expected`);
    if (rows < 1 || rows > rowsMost) throw new Error(`must name limits from 1 to ${rowsMost}`);
    if (guidance !== undefined) limits.guidance[guidance] = rows;
    else limits[channel as 'csv' | 'json'] = rows;
  }
  return limits;
}
