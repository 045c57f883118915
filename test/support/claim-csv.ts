import { quotedCell } from '#scripts/csv-cell.ts';
import { type ClaimFacts, claimColumns } from '#shared/domain/claims/index.ts';

const yesNo: Readonly<Record<string, string>> = { yes: 'Yes', no: 'No', true: 'Yes', false: 'No' };
const systemProducts: Readonly<Record<string, string>> = {
  solar: 'panel',
  battery: 'battery',
  wind: 'turbine',
  hydro: 'turbine',
};

/** A bulk claim file of these claims; what a claim does not state is an empty cell. */
export function claimCsv(claims: readonly ClaimFacts[]): string {
  const lines = claims.map((facts) =>
    claimColumns.map(({ field, kind }) => quotedCell(cellOf(facts, field, kind))).join(','),
  );
  return `${[claimColumns.map(({ heading }) => heading).join(','), ...lines].join('\r\n')}\r\n`;
}

function cellOf(facts: ClaimFacts, field: string, kind: string): string {
  const value = stated(facts, field);
  if (Array.isArray(value)) return value.join(';');
  if (value === undefined || value === -1) return '';
  const text = String(value);
  switch (kind) {
    case 'date':
      return text.split('-').reverse().join('/');
    case 'yes_no':
      return yesNo[text] ?? text;
    case 'names':
      return text === 'none' ? 'None' : text.replaceAll(' ', ';');
    default:
      return text;
  }
}

function stated(facts: ClaimFacts, field: string): unknown {
  const [group, name] = field.split('.') as [string, string | undefined];
  if (name === undefined) return facts[field as keyof ClaimFacts];
  if (group === 'credits') return facts.credits[name as keyof typeof facts.credits];
  const product = group === 'system' ? systemProducts[facts.unit_kind] : group;
  const item = facts.equipment.find((candidate) => candidate.product === product);
  return item?.[name as keyof typeof item];
}
