const sydney = new Intl.DateTimeFormat('en-CA', {
  timeZone: 'Australia/Sydney',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
});

const hourMs = 3_600_000;

// Sydney's clock has differed from UTC by whole hours since 1895, so its day changes only where an hour of UTC begins:
// all moments of one hour have one day. Workers ask again and again about the present hour, and about those of the rows of
// an upload.
const known = new Map<number, string>();
const knownMost = 10_000;

/** The calendar day in Sydney at that moment, yyyy-mm-dd (TIME-4). Summer time as in the time zone database. */
export function sydneyDay(epochMs: number): string {
  const hour = Math.floor(epochMs / hourMs);
  const remembered = known.get(hour);
  if (remembered !== undefined) return remembered;
  const day = sydney.format(hour * hourMs);
  if (known.size >= knownMost) known.clear();
  known.set(hour, day);
  return day;
}

/** When a Sydney day begins, or the day `later` days after it, epoch milliseconds. */
export function sydneyMidnight(day: string, later = 0): number {
  const utc = Date.parse(`${day}T00:00:00Z`) + later * 24 * hourMs;
  const wanted = new Date(utc).toISOString().slice(0, 10);
  // Sydney is 10 or 11 hours ahead of UTC, and clocks change at night, never at midnight.
  const summer = utc - 11 * hourMs;
  return sydneyDay(summer) === wanted ? summer : utc - 10 * hourMs;
}

/** yyyy-mm-dd, or undefined when there is no such day. */
export function dayOf(year: number, month: number, day: number): string | undefined {
  const date = new Date(Date.UTC(year, month - 1, day));
  const same =
    date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return same ? date.toISOString().slice(0, 10) : undefined;
}

const dayMs = 24 * hourMs;

/** Days from one day to another: 0 for the same, negative when `to` is earlier. */
export function daysBetween(from: string, to: string): number {
  return (Date.parse(to) - Date.parse(from)) / dayMs;
}

export function addDays(day: string, days: number): string {
  return new Date(Date.parse(day) + days * dayMs).toISOString().slice(0, 10);
}
