/** What a reason does to the outcome: the row cannot be calculated, earns nothing, or earns something and should know. */
export type Effect = 'invalid' | 'refuse' | 'note';

export interface ReasonEntry {
  readonly code: string;
  readonly effect: Effect;
  readonly meaning: string;
  readonly advice: string;
}

/**
 * Every reason an entitlement can carry, in precedence: a result lists its reasons in this order. Codes are the claim findings'
 * wherever those have one (FIND-13 to FIND-22); the others are ours.
 */
export const reasonCatalogue = [
  {
    code: 'row_damaged',
    effect: 'invalid',
    meaning: 'The row has another number of cells than the heading, or broken quotation marks.',
    advice: 'Repair the row and send it again.',
  },
  {
    code: 'field_missing',
    effect: 'invalid',
    meaning: 'A column that this kind of unit needs is empty.',
    advice: 'Fill the column in.',
  },
  {
    code: 'field_invalid',
    effect: 'invalid',
    meaning: 'A value cannot be read, or two values contradict each other.',
    advice: 'Correct the value as the message says.',
  },
  {
    code: 'field_not_for_kind',
    effect: 'invalid',
    meaning: 'A column is filled in that this kind of unit or installation does not have.',
    advice: 'Empty the column, or correct the kind.',
  },
  {
    code: 'before_scheme',
    effect: 'refuse',
    meaning: 'Installed before units of this kind could earn certificates.',
    advice: 'Check the date. There is no entitlement for earlier units.',
  },
  {
    code: 'after_scheme',
    effect: 'refuse',
    meaning: 'Installed after the scheme ended.',
    advice: 'Check the date. There is no entitlement for later units.',
  },
  {
    code: 'installed_in_future',
    effect: 'refuse',
    meaning: 'Not installed yet on the day of creation or of asking.',
    advice: 'Create certificates once the unit is installed.',
  },
  {
    code: 'too_late',
    effect: 'refuse',
    meaning: 'Created after the time limit, which starts with the installation.',
    advice: 'Check both dates. The limit cannot be extended.',
  },
  {
    code: 'power_over_threshold',
    effect: 'refuse',
    meaning: 'The rated power makes the unit a power station.',
    advice: 'Apply for accreditation as a power station.',
  },
  {
    code: 'output_over_threshold',
    effect: 'refuse',
    meaning: 'The annual output makes the unit a power station.',
    advice: 'Apply for accreditation as a power station.',
  },
  {
    code: 'extension_over_threshold',
    effect: 'refuse',
    meaning: 'The added capacity makes the whole system a power station.',
    advice: 'Apply for accreditation as a power station; output of the part already deemed is deducted.',
  },
  {
    code: 'replacement_not_eligible',
    effect: 'refuse',
    meaning: 'Panels or parts of a system were replaced.',
    advice: 'Claim added capacity as Extension, a whole new system as Replacement with complete_unit yes.',
  },
  {
    code: 'battery_size_outside',
    effect: 'refuse',
    meaning: 'The nominal size of the battery is outside the limits.',
    advice: 'Check the nominal capacity on the approved list.',
  },
  {
    code: 'battery_condition_unmet',
    effect: 'refuse',
    meaning: 'A condition for batteries is not met.',
    advice: 'See the condition that the message names.',
  },
  {
    code: 'deeming_not_offered',
    effect: 'refuse',
    meaning: 'This deeming period is not offered for the unit.',
    advice: 'Choose one of the periods that the message names.',
  },
  {
    code: 'installer_not_accredited',
    effect: 'refuse',
    meaning: 'The maximum deeming period needs an accredited designer and installer.',
    advice: 'Choose the 1-year or the 5-year period.',
  },
  {
    code: 'later_period_without_evidence',
    effect: 'refuse',
    meaning: 'A second or later period needs evidence that the unit is still installed and likely to work.',
    advice: 'Provide the evidence.',
  },
  {
    code: 'hours_without_audit',
    effect: 'refuse',
    meaning: 'More resource hours than the default need a site audit.',
    advice: "Provide the audit report with the auditor's name and contact, or use the default hours.",
  },
  {
    code: 'deeming_lowered',
    effect: 'note',
    meaning: 'Fewer years are left than were chosen: the lower number counts.',
    advice: 'Nothing to do.',
  },
  {
    code: 'time_limit_not_stated',
    effect: 'note',
    meaning: 'The rules allow late creation for 1 and 5 years and are silent about the maximum.',
    advice: 'Ask the regulator before relying on the figure.',
  },
  {
    code: 'multiplier_not_applied',
    effect: 'note',
    meaning: 'A condition of Solar Credits is not met: the certificates are not multiplied.',
    advice: 'See the condition that the message names.',
  },
] as const satisfies readonly ReasonEntry[];

export type ReasonCode = (typeof reasonCatalogue)[number]['code'];

export interface Reason {
  readonly code: ReasonCode;
  /** Id of the rule that speaks. */
  readonly rule: string;
  /** Input column concerned. */
  readonly field: string;
  /** One sentence with the figures of this case; never holds a semicolon, which separates reasons in CSV. */
  readonly message: string;
}

const effects: ReadonlyMap<ReasonCode, Effect> = new Map(
  reasonCatalogue.map(({ code, effect }) => [code, effect]),
);

export function effectOf(code: ReasonCode): Effect {
  return effects.get(code) ?? 'invalid';
}

export function reason(code: ReasonCode, rule: string, field: string, message: string): Reason {
  return { code, rule, field, message };
}

/** Text of a stranger inside a message: short, printable, without the separator of reasons. */
export function quoted(text: string): string {
  const shown = text.length > 40 ? `${text.slice(0, 37)}...` : text;
  return `"${shown
    .replace(/[^ -~]/g, '?')
    .replace(/;/g, ',')
    .replace(/"/g, "'")}"`;
}
