import type { Random } from '#test/simulation/random.ts';
import type { Rig } from './rig.ts';
import type { Workload } from './workload.ts';

/** What a fault works with. The workload goes on sending until the fault is over. */
export interface Scene {
  readonly rig: Rig;
  readonly workload: Workload;
  readonly random: Random;
  readonly progress: (text: string) => void;
}

/** One thing that goes wrong. A new one is a new file in `faults/`, and stands in the list of `faults.ts`. */
export interface Fault {
  readonly name: string;
  /** One sentence for whoever reads the table. */
  readonly about: string;
  /** Belongs to the sample that runs when nothing else is asked for. */
  readonly sample?: boolean;
  /** Makes it happen, and resolves when it has: how often. A fault that cannot be brought about rejects. */
  readonly inject: (scene: Scene) => Promise<number>;
  /** Puts right what does not heal by itself, also after a failure. */
  readonly heal?: (scene: Scene) => Promise<void>;
}

/** How long the fleet may take to come to where it is waited for. */
export const hitTimeoutMs = 90_000;

/** Rejects when it takes longer than the fleet may take. */
export async function within<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited in vain: ${what}`)), hitTimeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
