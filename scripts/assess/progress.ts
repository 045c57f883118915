import type { Report } from './run.ts';

const names = { surveying: 'reading the file', judging: 'judging' } as const;
const barChars = 30;
/** Without a terminal: a line for each of so many parts. */
const parts = 20;

/** A bar on a terminal, a line now and then elsewhere. */
export function progressOn(out: { readonly isTTY?: boolean; write(text: string): unknown }): Report {
  let shown = '';
  return (step, done, of) => {
    const share = of === 0 ? 1 : done / of;
    const key = out.isTTY ? `${step} ${Math.floor(share * 1_000)}` : `${step} ${Math.floor(share * parts)}`;
    if (key === shown) return;
    shown = key;
    out.write(
      out.isTTY ? barOf(step, share, counted(step, done, of)) : lineOf(step, share, counted(step, done, of)),
    );
  };
}

function counted(step: keyof typeof names, done: number, of: number): string {
  const unit = step === 'surveying' ? 'bytes' : 'claims';
  return `${done.toLocaleString('en')} of ${of.toLocaleString('en')} ${unit}`;
}

function barOf(step: keyof typeof names, share: number, count: string): string {
  const full = Math.round(share * barChars);
  const bar = `${'#'.repeat(full)}${'.'.repeat(barChars - full)}`;
  return `\r\x1b[2K${names[step].padEnd(16)} [${bar}] ${(share * 100).toFixed(1).padStart(5)} %  ${count}${share >= 1 ? '\n' : ''}`;
}

function lineOf(step: keyof typeof names, share: number, count: string): string {
  return `${names[step]}: ${Math.floor(share * 100)} %, ${count}\n`;
}
