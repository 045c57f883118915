const firstMs = 50;
const mostMs = 5_000;

/** Capped exponential backoff: 50 ms, 100 ms, ... 5 s. `failures` counts those before this one. */
export function backoffMs(failures: number): number {
  return Math.min(firstMs * 2 ** Math.min(failures, 16), mostMs);
}
