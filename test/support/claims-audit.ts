import { type ClaimEvent, type Decided, sequenceOf } from '#shared/domain/claims/index.ts';

export interface Audited {
  /** Serials of the claims that are live at the end. */
  readonly live: ReadonlyMap<string, readonly string[]>;
  /** Every number that was given, by sequence. */
  readonly numbers: ReadonlyMap<string, ReadonlySet<number>>;
  /** By numbers, and by what the decisions say. */
  readonly certificates: number;
  readonly entitled: number;
}

/** Live claims, what they hold, and what was given, told from the published decisions alone. */
export function audit(
  eventOf: (offset: number) => ClaimEvent,
  decisions: ReadonlyMap<number, Decided>,
): Audited {
  const live = new Map<string, readonly string[]>();
  const numbers = new Map<string, Set<number>>();
  let certificates = 0;
  let entitled = 0;
  for (const [offset, decided] of [...decisions].sort(([a], [b]) => a - b)) {
    const event = eventOf(offset);
    switch (decided.decision) {
      case 'approved': {
        const serials = event.equipment.flatMap(({ product, serials }) =>
          serials.map((serial) => `${product} ${serial}`),
        );
        for (const [other, held] of live)
          for (const serial of serials)
            if (held.includes(serial))
              throw new Error(`${serial} is in the live claims ${other} and ${event.claim}`);
        live.set(event.claim, serials);
        const sequence = sequenceOf({
          unit: event.unit,
          account: event.account,
          year: decided.certificate_year,
        });
        const given = numbers.get(sequence) ?? new Set<number>();
        numbers.set(sequence, given);
        for (let n = decided.first_number; n <= decided.last_number; n++) {
          if (given.has(n)) throw new Error(`number ${n} was given twice in ${sequence}`);
          given.add(n);
        }
        certificates += decided.last_number - decided.first_number + 1;
        entitled += decided.certificates;
        break;
      }
      case 'refused':
        for (const { code, subject, reference } of decided.findings)
          if (
            code === 'serial_already_claimed' &&
            !live.get(reference)?.some((serial) => serial.endsWith(` ${subject}`))
          )
            throw new Error(`${subject} was refused for ${reference}, which does not hold it`);
        break;
      case 'withdrawn':
      case 'audit_failed':
        live.delete(event.claim);
        break;
      default:
        break;
    }
  }
  return { live, numbers, certificates, entitled };
}
