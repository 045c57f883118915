/**
 * Days are ISO text (`2020-01-01`): they order as text, carry no time of day and no zone. They are Sydney days (TIME-4); whoever
 * turns an instant into a day does so before asking.
 */
export type Day = string;

const isoDay = /^(\d{4})-(\d{2})-(\d{2})$/;

function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function dayOf(year: number, month: number, day: number): Day {
  return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
}

/** The day itself when it is in the calendar, otherwise undefined. */
export function parseDay(text: string): Day | undefined {
  const match = isoDay.exec(text);
  if (match === null) return undefined;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  return month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month) ? text : undefined;
}

export function yearOf(day: Day): number {
  return Number(day.slice(0, 4));
}

/** The same day of the month, `months` later; a day that month does not have becomes its last one (29 February -> 28). */
export function addMonths(day: Day, months: number): Day {
  const index = yearOf(day) * 12 + Number(day.slice(5, 7)) - 1 + months;
  const [year, month] = [Math.floor(index / 12), (index % 12) + 1];
  return dayOf(year, month, Math.min(Number(day.slice(8)), daysInMonth(year, month)));
}

export function nextDay(day: Day): Day {
  const [year, month, date] = [yearOf(day), Number(day.slice(5, 7)), Number(day.slice(8)) + 1];
  if (date <= daysInMonth(year, month)) return dayOf(year, month, date);
  return month === 12 ? dayOf(year + 1, 1, 1) : dayOf(year, month + 1, 1);
}
