import type { Fault } from './fault.ts';
import { clickhouseFaults } from './faults/clickhouse.ts';
import { deadLetters } from './faults/dead-letters.ts';
import { gatewayQuestions } from './faults/gateway-questions.ts';
import { kafkaFaults } from './faults/kafka.ts';
import { killsAtPoints } from './faults/kill-at-points.ts';
import { rebalances } from './faults/rebalances.ts';
import { redisFaults } from './faults/redis.ts';
import { registryFaults } from './faults/registry.ts';
import { zombies } from './faults/zombies.ts';

/** All of them, in the order in which `--all` tries them. */
export const faults: readonly Fault[] = [
  ...killsAtPoints,
  ...gatewayQuestions,
  ...deadLetters,
  ...zombies,
  ...rebalances,
  ...kafkaFaults,
  ...redisFaults,
  ...clickhouseFaults,
  ...registryFaults,
];

/** Those whose names begin with one of these words; undefined when one of them names none. */
export function faultsNamed(names: readonly string[]): readonly Fault[] | { readonly unknown: string } {
  for (const name of names)
    if (!faults.some((fault) => fault.name.startsWith(name))) return { unknown: name };
  return faults.filter((fault) => names.some((name) => fault.name.startsWith(name)));
}
