import { type Refusal, refuse } from '#gateway/refusal.ts';
import type { Part } from '#gateway/streams/parts.ts';

/** What a part must be when it comes again. */
export type Step = Pick<Part, 'rows' | 'bodySha256'>;

/** What would be marked, without what is in it: a selection may be larger than memory. */
export interface Plan {
  readonly rows: number;
  readonly steps: readonly Step[];
}

/** Reads everything that is chosen, and keeps what it can be recognised by. */
export async function planOf(parts: AsyncIterable<Part>): Promise<Plan> {
  const steps: Step[] = [];
  let all = 0;
  for await (const { rows, bodySha256 } of parts) {
    steps.push({ rows, bodySha256 });
    all += rows;
  }
  return { rows: all, steps };
}

/**
 * The same parts again, as long as they are those of the plan: what is marked is what was counted, and nothing that came, went
 * or changed since.
 */
export async function* asPlanned(
  parts: AsyncIterable<Part>,
  { steps }: Plan,
): AsyncGenerator<Part | Refusal, void> {
  let next = 0;
  for await (const part of parts) {
    const step = steps[next];
    if (step?.rows !== part.rows || step.bodySha256 !== part.bodySha256)
      return yield changed(part.firstRow - 1);
    next += 1;
    yield part;
  }
  if (next < steps.length)
    yield refuse('selection_changed', 'fewer serial numbers match than at the beginning');
}

function changed(committedRow: number): Refusal {
  return refuse(
    'selection_changed',
    `what matches behind the first ${committedRow} changed while it was marked`,
  );
}
