import { assert } from '#shared/base/errors.ts';
import { joinKey } from '#shared/base/keys.ts';
import type { ClaimDecision, Effect, Finding, Waiver } from './claim.ts';

export interface FindingEntry {
  readonly code: string;
  /** Rule of section 13. */
  readonly rule: string;
  /** Unless the finding itself says otherwise (`listing_not_checked` depends on the product). */
  readonly effect: Effect;
  readonly meaning: string;
  /** What the claimant should do. */
  readonly advice: string;
}

/**
 * Every finding, in precedence: an assessment lists its findings in this order, and none hides another. What concerns
 * the claim as a whole comes first (form, claimant, dates), then the products, then each serial, then the figures.
 */
export const findingCatalogue = [
  // Events that do not apply to their claim.
  {
    code: 'claim_unknown',
    rule: 'CERT-6',
    effect: 'refuse',
    meaning: 'There is no claim with this id.',
    advice: 'Check the id of the claim.',
  },
  {
    code: 'not_claimant',
    rule: 'ELIG-1',
    effect: 'refuse',
    meaning: 'The claim belongs to another account.',
    advice: 'Only the account that claimed can change the claim.',
  },
  {
    code: 'claim_closed',
    rule: 'CERT-6',
    effect: 'refuse',
    meaning: 'The claim is in a state in which this event changes nothing.',
    advice: 'Look at the history of the claim; make a new claim where one is due.',
  },
  {
    code: 'claim_changed',
    rule: 'CERT-6',
    effect: 'refuse',
    meaning: 'The claim was assessed again after the assessment that this event is based on.',
    advice: 'Look at the claim as it is now, and repeat the request if it is still wanted.',
  },
  // Form.
  {
    code: 'field_missing',
    rule: 'FIND-21',
    effect: 'refuse',
    meaning: 'A field that this kind of unit needs is not given.',
    advice: 'Claim again with the field.',
  },
  {
    code: 'field_invalid',
    rule: 'FIND-21',
    effect: 'refuse',
    meaning: 'A value cannot be read, or contradicts another.',
    advice: 'Claim again with the value corrected.',
  },
  {
    code: 'field_not_for_kind',
    rule: 'FIND-21',
    effect: 'refuse',
    meaning: 'A field is given that this kind of unit does not have.',
    advice: 'Claim again without the field, or with the right kind.',
  },
  {
    code: 'not_owner',
    rule: 'FIND-20',
    effect: 'refuse',
    meaning: 'The claimant is neither the owner at installation nor an assignee.',
    advice: 'The owner claims, or assigns the right in writing.',
  },
  {
    code: 'no_assignment',
    rule: 'FIND-20',
    effect: 'refuse',
    meaning: 'An agent claims without a written assignment made on or after the day of installation.',
    advice: 'Give the reference and date of the assignment.',
  },
  // Dates and limits.
  {
    code: 'before_scheme',
    rule: 'FIND-13',
    effect: 'refuse',
    meaning: 'Installed before units of this kind could earn certificates.',
    advice: 'Check the date. There is no entitlement for earlier units.',
  },
  {
    code: 'after_scheme',
    rule: 'FIND-13',
    effect: 'refuse',
    meaning: 'Installed after the scheme ended.',
    advice: 'Check the date. There is no entitlement for later units.',
  },
  {
    code: 'installed_in_future',
    rule: 'FIND-13',
    effect: 'refuse',
    meaning: 'Not installed yet on the day of the claim.',
    advice: 'Claim once the unit is installed.',
  },
  {
    code: 'too_late',
    rule: 'FIND-13',
    effect: 'refuse',
    meaning: 'Claimed more than 12 months after installation.',
    advice: 'Check the date. The time limit cannot be extended.',
  },
  {
    code: 'power_over_threshold',
    rule: 'FIND-14',
    effect: 'refuse',
    meaning: 'The rated power makes the unit a power station.',
    advice: 'Apply for accreditation as a power station.',
  },
  {
    code: 'output_over_threshold',
    rule: 'FIND-14',
    effect: 'refuse',
    meaning: 'The annual output makes the unit a power station.',
    advice: 'Apply for accreditation as a power station.',
  },
  {
    code: 'extension_over_threshold',
    rule: 'FIND-19',
    effect: 'refuse',
    meaning: 'The added capacity makes the whole system a power station.',
    advice: 'Apply for accreditation as a power station.',
  },
  {
    code: 'replacement_not_eligible',
    rule: 'FIND-19',
    effect: 'refuse',
    meaning: 'Parts of a system were replaced.',
    advice: 'Claim added capacity as an extension, a whole new system as a complete unit.',
  },
  {
    code: 'battery_size_outside',
    rule: 'FIND-22',
    effect: 'refuse',
    meaning: 'The nominal size of the battery is outside the limits.',
    advice: 'Check the nominal capacity on the approved list.',
  },
  {
    code: 'battery_condition_unmet',
    rule: 'FIND-22',
    effect: 'refuse',
    meaning: 'A condition for batteries is not met.',
    advice: 'See the condition that the finding names.',
  },
  {
    code: 'deeming_not_offered',
    rule: 'FIND-15',
    effect: 'refuse',
    meaning: 'This deeming period is not offered for the unit.',
    advice: 'Choose one of the periods that the finding names.',
  },
  {
    code: 'installer_not_accredited',
    rule: 'FIND-16',
    effect: 'refuse',
    meaning: 'The maximum deeming period needs an accredited designer and installer.',
    advice: 'Choose 1 or 5 years.',
  },
  {
    code: 'later_period_without_evidence',
    rule: 'FIND-15',
    effect: 'refuse',
    meaning: 'A later deeming period needs evidence that the unit is still installed.',
    advice: 'Provide the evidence.',
  },
  {
    code: 'hours_without_audit',
    rule: 'FIND-16',
    effect: 'refuse',
    meaning: 'More resource hours than the default need a site audit.',
    advice: "Give the audit report and the auditor's name and contact, or leave the hours out.",
  },
  {
    code: 'period_already_claimed',
    rule: 'FIND-15',
    effect: 'refuse',
    meaning: 'A live claim covers these years of the unit already.',
    advice: 'Claim the next period, and state the years deemed so far.',
  },
  // Products.
  {
    code: 'model_declared_ineligible',
    rule: 'FIND-12',
    effect: 'refuse',
    meaning: 'The model was declared ineligible.',
    advice: 'There is no entitlement with this model.',
  },
  {
    code: 'model_not_listed',
    rule: 'FIND-11',
    effect: 'refuse',
    meaning: 'The model is on no approved list.',
    advice: 'Compare brand and model with the approved list, brackets and suffixes included.',
  },
  {
    code: 'model_not_approved_yet',
    rule: 'FIND-11',
    effect: 'refuse',
    meaning: 'The model was approved after the day of installation.',
    advice: 'Check the day of installation and the model.',
  },
  {
    code: 'model_expired',
    rule: 'FIND-11',
    effect: 'refuse',
    meaning: 'The approval of the model had expired on the day of installation.',
    advice: 'Check the day of installation and the model.',
  },
  {
    code: 'model_in_gap',
    rule: 'FIND-11',
    effect: 'refuse',
    meaning: 'The day of installation lies between two approvals of the model.',
    advice: 'Check the day of installation and the model.',
  },
  {
    code: 'listing_not_checked',
    rule: 'FIND-11',
    effect: 'ask',
    meaning: 'There is no approved list of this product to check against.',
    advice: 'Nothing to do: the regulator decides.',
  },
  {
    code: 'battery_configuration',
    rule: 'FIND-22',
    effect: 'ask',
    meaning: 'The capacity differs from that of the listed configuration.',
    advice: 'Give the capacity of the configuration as listed.',
  },
  {
    code: 'supplier_not_authorised',
    rule: 'FIND-9',
    effect: 'ask',
    meaning: 'The supplier had no authority for the product.',
    advice: 'Ask the supplier; the regulator decides.',
  },
  // Serials.
  {
    code: 'quantity_mismatch',
    rule: 'FIND-7',
    effect: 'refuse',
    meaning: 'The number of serials differs from the stated quantity.',
    advice: 'Claim again with one serial for each unit of equipment.',
  },
  {
    code: 'serial_repeated',
    rule: 'FIND-7',
    effect: 'refuse',
    meaning: 'A serial stands twice on the claim.',
    advice: 'Claim again with each serial once.',
  },
  {
    code: 'serial_declared_ineligible',
    rule: 'FIND-12',
    effect: 'refuse',
    meaning: 'The regulator has declared this very serial ineligible.',
    advice: 'There is no entitlement with this serial.',
  },
  {
    code: 'serial_damaged',
    rule: 'FIND-8',
    effect: 'ask',
    meaning: 'The serial looks as if a spreadsheet had changed it.',
    advice: 'Compare it with the label, and send it as text.',
  },
  {
    code: 'serial_not_yet',
    rule: 'FIND-2',
    effect: 'wait',
    meaning: 'The ledger has not caught up with the question.',
    advice: 'Nothing to do: the claim is assessed again.',
  },
  {
    code: 'serial_not_found',
    rule: 'FIND-1',
    effect: 'ask',
    meaning: 'The ledger has no such serial.',
    advice: 'Check the serial, and ask the supplier to register it.',
  },
  {
    code: 'serial_invalid',
    rule: 'FIND-3',
    effect: 'refuse',
    meaning: 'The serial was marked invalid.',
    advice: 'Ask the supplier.',
  },
  {
    code: 'serial_other_model',
    rule: 'FIND-4',
    effect: 'ask',
    meaning: 'The ledger has the serial under another model or certificate holder.',
    advice: 'Check brand and model.',
  },
  {
    code: 'serial_shared_between_holders',
    rule: 'FIND-5',
    effect: 'ask',
    meaning: 'Several certificate holders use the serial, and the claim does not tell which one is meant.',
    advice: 'Give the brand as on the label.',
  },
  {
    code: 'serial_in_conflict',
    rule: 'FIND-5',
    effect: 'ask',
    meaning: 'The serial is disputed between suppliers.',
    advice: 'Nothing to do: the regulator decides.',
  },
  {
    code: 'serial_already_claimed',
    rule: 'FIND-6',
    effect: 'refuse',
    meaning: 'The serial is in another live claim.',
    advice: 'Check the serial. Each unit of equipment earns certificates once.',
  },
  {
    code: 'registered_after_installation',
    rule: 'FIND-10',
    effect: 'note',
    meaning: 'The serial was registered after the day of installation.',
    advice: 'Nothing to do.',
  },
  // The whole.
  {
    code: 'spv_package_mismatch',
    rule: 'FIND-22',
    effect: 'ask',
    meaning: 'The signed data package says something else than the claim.',
    advice: 'Claim what the package says.',
  },
  {
    code: 'address_repeated',
    rule: 'FIND-18',
    effect: 'ask',
    meaning: 'There is another live claim for a unit of this kind at the address.',
    advice: 'Say how the two units differ.',
  },
  {
    code: 'deeming_lowered',
    rule: 'FIND-15',
    effect: 'note',
    meaning: 'Fewer years are left than were chosen: the lower number counts.',
    advice: 'Nothing to do.',
  },
  {
    code: 'time_limit_not_stated',
    rule: 'FIND-13',
    effect: 'note',
    meaning: 'The rules are silent about late creation for this period.',
    advice: 'Nothing to do.',
  },
  {
    code: 'multiplier_not_applied',
    rule: 'FIND-17',
    effect: 'note',
    meaning: 'A condition of Solar Credits is not met: the certificates are not multiplied.',
    advice: 'See the condition that the finding names.',
  },
  {
    code: 'entitlement_differs',
    rule: 'FIND-23',
    effect: 'refuse',
    meaning: 'The claimed number of certificates is not the computed one.',
    advice: 'Claim the computed number, or leave it out.',
  },
] as const satisfies readonly FindingEntry[];

export type FindingCode = (typeof findingCatalogue)[number]['code'];

const places: ReadonlyMap<string, number> = new Map(findingCatalogue.map(({ code }, place) => [code, place]));

function placeOf(code: string): number {
  const place = places.get(code);
  assert(place !== undefined, `finding ${code} is not in the catalogue`);
  return place;
}

/** `detail`: one sentence with the facts of this case, for the claimant's eyes. `reference`: for the regulator's alone. */
export function finding(
  code: FindingCode,
  subject: string,
  detail: string,
  more: { readonly reference?: string; readonly effect?: Effect } = {},
): Finding {
  const effect = more.effect ?? findingCatalogue[placeOf(code)]!.effect;
  return { code, effect, subject, detail, reference: more.reference ?? '' };
}

/** Questions that the regulator has answered hold the claim no longer; nothing else can be waived. */
export function withWaivers(findings: readonly Finding[], waived: readonly Waiver[]): readonly Finding[] {
  if (waived.length === 0) return findings;
  const answered = new Set(waived.map(({ code, subject }) => joinKey(code, subject)));
  return findings.map((found) =>
    found.effect === 'ask' && answered.has(joinKey(found.code, found.subject))
      ? { ...found, effect: 'waived' }
      : found,
  );
}

/** In precedence; findings of one code keep their order, a second one about the same subject is dropped. */
export function inPrecedence(findings: readonly Finding[]): readonly Finding[] {
  const seen = new Set<string>();
  const different = findings.filter(({ code, subject }) => {
    const key = joinKey(code, subject);
    return !seen.has(key) && seen.add(key);
  });
  return different.sort((a, b) => placeOf(a.code) - placeOf(b.code));
}

/** Any `refuse` refuses; else any `ask` or `wait` holds; notes and answered questions alone approve. */
export function decisionOf(findings: readonly Finding[]): ClaimDecision {
  if (findings.some(({ effect }) => effect === 'refuse')) return 'refused';
  return findings.some(({ effect }) => effect === 'ask' || effect === 'wait') ? 'held' : 'approved';
}
