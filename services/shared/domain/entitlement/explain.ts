import type { BatteryCase, UnitCase } from './checks.ts';
import { zoneTables } from './data/scheme.ts';
import { solarCreditsWindow } from './data/solar-credits.ts';
import { inForceOrFirst } from './dated.ts';
import { compare, type Decimal, toText } from './decimal.ts';
import { inYears } from './deeming.ts';
import type { SolarFacts } from './facts.ts';
import { type BatteryProduct, type CapacityPart, resourceFactor, sum, zoneRating } from './quantities.ts';
import type { ReasonCode } from './reasons.ts';
import type { Entitlement, EntitlementResult } from './result.ts';
import type { TimeLimit } from './time-limit.ts';

type Explanation = Pick<EntitlementResult, 'checks' | 'working'>;

const mwh = (value: Decimal): string => `${toText(value)} MWh`;
const stcText = (count: number): string => (count === 1 ? '1 STC' : `${count} STCs`);

/** A question of the kind the owners guide asks before it calculates, with its answer. */
class Questions {
  readonly lines: string[] = [];
  readonly #entitlement: Entitlement;

  constructor(entitlement: Entitlement) {
    this.#entitlement = entitlement;
  }

  /** Yes unless one of these reasons stands against it; "assumed" where the fact was not given. */
  ask(question: string, against: readonly ReasonCode[], fields: readonly string[] = []): void {
    const { reasons, assumed } = this.#entitlement;
    const isAgainst = reasons.some(({ code }) => against.includes(code));
    const isAssumed = !isAgainst && assumed.some(({ field }) => fields.includes(field));
    this.lines.push(`${question} ${isAgainst ? 'No' : isAssumed ? 'Yes (assumed)' : 'Yes'}`);
  }

  /** A condition of Solar Credits: told by the notice on its column. `usual` is the answer that meets it. */
  askCondition(question: string, fields: readonly string[], usual: 'Yes' | 'No' = 'Yes'): void {
    const { notices, assumed } = this.#entitlement;
    const isAgainst = notices.some(
      ({ code, field }) => code === 'multiplier_not_applied' && fields.includes(field),
    );
    const isAssumed = !isAgainst && assumed.some(({ field }) => fields.includes(field));
    const answer = isAgainst ? (usual === 'Yes' ? 'No' : 'Yes') : usual;
    this.lines.push(`${question} ${answer}${isAssumed ? ' (assumed)' : ''}`);
  }
}

function askTimeLimit(questions: Questions, limit: TimeLimit | undefined): void {
  if (limit === undefined || limit.months === null) return;
  const question = `Created within ${limit.months} months of the installation?`;
  questions.ask(question, ['too_late'], ['created_on']);
}

function solarCreditsQuestions(questions: Questions): void {
  questions.askCondition('Is it a new and complete unit that can be metered?', [
    'new_unit',
    'complete_unit',
    'metered',
  ]);
  questions.askCondition('Is it at eligible premises?', ['premises']);
  questions.askCondition(
    'Was there assistance under an earlier programme?',
    ['unit_programmes', 'premises_programmes'],
    'No',
  );
  questions.askCondition('Were certificates multiplied at the premises before?', ['multiplied_before'], 'No');
}

function unitChecks(
  entitlement: Entitlement,
  { facts, limit, timeLimit, deeming, multiplier }: UnitCase,
): readonly string[] {
  const questions = new Questions(entitlement);
  const { claimed } = facts.solarCredits;
  if (claimed) {
    questions.askCondition(`Installed from ${solarCreditsWindow.from} to ${solarCreditsWindow.to}?`, [
      'install_date',
    ]);
  }
  askTimeLimit(questions, timeLimit);
  if (limit !== undefined) {
    const bounds = `no more than ${toText(limit.kw)} kW and ${toText(limit.mwhAYear)} MWh a year`;
    questions.ask(`Is it ${bounds}?`, [
      'power_over_threshold',
      'output_over_threshold',
      'extension_over_threshold',
    ]);
  }
  if (multiplier.factor > 1) {
    const isOver = compare(facts.kw, multiplier.firstKw) > 0;
    questions.lines.push(
      `Is the rated power more than ${toText(multiplier.firstKw)} kW? ${isOver ? 'Yes' : 'No'}`,
    );
  }
  if (facts.kind === 'solar' && deeming.isMaximum) {
    const question = 'Was it designed and installed by an accredited person?';
    questions.ask(question, ['installer_not_accredited'], ['accredited_installer']);
  }
  if (claimed) solarCreditsQuestions(questions);
  return questions.lines;
}

function zoneSteps(facts: SolarFacts): readonly string[] {
  const { name } = inForceOrFirst(zoneTables, facts.installedOn);
  const zone =
    facts.postcode === undefined
      ? `Zone: ${facts.zone}, as given`
      : `Zone of postcode ${facts.postcode} in the table of ${name}: ${facts.zone}`;
  return [zone, `Rating of zone ${facts.zone}: ${toText(zoneRating(facts.zone, facts.installedOn))}`];
}

/** The factors of one part in the order in which the guide writes them. */
function factors({ facts }: UnitCase, kw: string, tail: readonly (number | string)[]): string {
  const head =
    facts.kind === 'solar'
      ? [toText(zoneRating(facts.zone, facts.installedOn)), kw]
      : [toText(resourceFactor(facts.installedOn)), kw, facts.hours];
  return [...head, ...tail].join(' × ');
}

function plainSteps(subject: UnitCase, product: Decimal | undefined): readonly string[] {
  const { facts, annual, deeming } = subject;
  const isSolar = facts.kind === 'solar';
  const one = `Annual output: ${factors(subject, isSolar ? `${toText(facts.kw)} kW` : toText(facts.kw), [])} = ${mwh(annual)}`;
  if (product === undefined) return [one];
  const period = isSolar ? inYears(deeming.years) : String(deeming.years);
  return [one, `Over ${inYears(deeming.years)}: ${toText(annual)} × ${period} = ${mwh(product)}`];
}

function restSteps(
  subject: UnitCase,
  first: CapacityPart,
  rest: CapacityPart,
  product: Decimal,
): readonly string[] {
  const { facts, deeming } = subject;
  const kw = toText(rest.kw);
  const own =
    facts.kind === 'solar'
      ? `${kw} kW × ${toText(zoneRating(facts.zone, facts.installedOn))} × ${deeming.years}`
      : factors(subject, kw, [deeming.years]);
  return [
    `Remaining power: ${toText(facts.kw)} kW - ${toText(first.kw)} = ${kw} kW`,
    `Remaining ${kw} kW, not multiplied: ${own} = ${mwh(rest.product)}`,
    `Sum: ${mwh(first.product)} + ${mwh(rest.product)} = ${mwh(product)}`,
  ];
}

function multipliedSteps(
  subject: UnitCase,
  parts: readonly CapacityPart[],
  product: Decimal,
): readonly string[] {
  const [first, rest] = parts;
  if (first === undefined) return [];
  const { facts, deeming } = subject;
  const tail = facts.kind === 'solar' ? [deeming.years, first.multiplier] : [first.multiplier, deeming.years];
  const kw = toText(first.kw);
  const multiplied = `First ${kw} kW, multiplied by ${first.multiplier}: ${factors(subject, kw, tail)} = ${mwh(first.product)}`;
  return rest === undefined ? [multiplied] : [multiplied, ...restSteps(subject, first, rest, product)];
}

function roundingStep(product: Decimal, { stcs, rule_ids }: Entitlement): string {
  const result = `${mwh(product)} = ${stcText(stcs ?? 0)}`;
  if (rule_ids.includes('ROUND-3')) return `From 0.5 to 1 MWh counts as one: ${result}`;
  if (rule_ids.includes('ROUND-4')) return `Less than 0.5 MWh counts for none: ${result}`;
  return `Rounded down to whole MWh: ${result}`;
}

function limitStep({ limit }: UnitCase): readonly string[] {
  if (limit === undefined) return [];
  return [
    `No more than ${toText(limit.kw)} kW and no more than ${toText(limit.mwhAYear)} MWh a year: not a power station`,
  ];
}

function refusalSteps({ reasons }: Entitlement): readonly string[] {
  return reasons.map(({ code, message }) => `No certificates, ${code}: ${message}`);
}

function unitWorking(
  entitlement: Entitlement,
  subject: UnitCase,
  parts: readonly CapacityPart[],
): readonly string[] {
  const zone = subject.facts.kind === 'solar' ? zoneSteps(subject.facts) : [];
  if (entitlement.outcome !== 'eligible')
    return [...zone, ...plainSteps(subject, undefined), ...refusalSteps(entitlement)];
  const product = sum(parts.map((part) => part.product));
  const steps =
    subject.multiplier.factor === 1 ? plainSteps(subject, product) : multipliedSteps(subject, parts, product);
  return [...zone, ...steps, roundingStep(product, entitlement), ...limitStep(subject)];
}

export function explainUnit(
  entitlement: Entitlement,
  subject: UnitCase,
  parts: readonly CapacityPart[],
): Explanation {
  return { checks: unitChecks(entitlement, subject), working: unitWorking(entitlement, subject, parts) };
}

function tierSteps({ parts, counted }: BatteryProduct, usable: Decimal): readonly string[] {
  const steps = parts.map(({ fromKwh, toKwh, kwh, weight, counted: part }) => {
    const span =
      fromKwh.units === 0n ? `First ${toText(toKwh)} kWh` : `Over ${toText(fromKwh)} to ${toText(toKwh)} kWh`;
    return `${span}: ${toText(kwh)} kWh × ${toText(weight)} = ${toText(part)} kWh`;
  });
  const last = parts.at(-1)?.toKwh;
  const beyond =
    last !== undefined && compare(usable, last) > 0 ? [`Over ${toText(last)} kWh: counts for nothing`] : [];
  if (parts.length === 1) return [...steps, ...beyond];
  return [
    ...steps,
    ...beyond,
    `Counted: ${parts.map((part) => toText(part.counted)).join(' + ')} = ${toText(counted)} kWh`,
  ];
}

function batteryWorking(
  entitlement: Entitlement,
  battery: BatteryProduct,
  usable: Decimal,
): readonly string[] {
  const { counted, factor, product } = battery;
  return [
    ...tierSteps(battery, usable),
    `Factor from ${factor.from}: ${toText(counted)} × ${toText(factor.factor)} = ${toText(product)}`,
    `Rounded down: ${toText(product)} = ${stcText(entitlement.stcs ?? 0)}`,
  ];
}

export function explainBattery(
  entitlement: Entitlement,
  { facts, timeLimit }: BatteryCase,
  battery: BatteryProduct | undefined,
): Explanation {
  const questions = new Questions(entitlement);
  askTimeLimit(questions, timeLimit);
  questions.ask('Is the nominal size within the limits?', ['battery_size_outside'], ['nominal_kwh']);
  const conditions = ['with_solar', 'vpp_ready', 'earlier_battery_claim'];
  questions.ask('Are the conditions for batteries met?', ['battery_condition_unmet'], conditions);
  const isEligible = entitlement.outcome === 'eligible' && battery !== undefined;
  return {
    checks: questions.lines,
    working: isEligible ? batteryWorking(entitlement, battery, facts.usableKwh) : refusalSteps(entitlement),
  };
}

export function explainInvalid(entitlement: Entitlement): Explanation {
  const working = entitlement.reasons.map(({ code, message }) => `Cannot be calculated, ${code}: ${message}`);
  return { checks: [], working };
}
