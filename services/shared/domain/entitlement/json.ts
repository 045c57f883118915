import { columns, type EntitlementInput, type InputColumn } from './columns.ts';
import { computeEntitlement, invalidEntitlement } from './engine.ts';
import { explainInvalid } from './explain.ts';
import { defaultPolicy, type Policy } from './kinds.ts';
import { quoted, type Reason, reason } from './reasons.ts';
import type { EntitlementResult } from './result.ts';

export type JsonReading = { readonly input: EntitlementInput } | { readonly faults: readonly Reason[] };

function isColumn(name: string): name is InputColumn {
  return Object.hasOwn(columns, name);
}

/**
 * One JSON value as the text of a cell. A number becomes the shortest decimal text that means it, which is the text that was sent
 * for up to 15 digits; text is taken as it is. Undefined: no cell can hold it.
 */
function cellText(value: unknown): string | undefined {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) {
    return value.length === 0 ? 'none' : value.join(' ');
  }
  return undefined;
}

/**
 * A calculation out of JSON: an object with the names of the CSV columns; text, numbers, booleans, null, and lists of text for the
 * programmes. An unknown name is a fault, because a misspelt fact would otherwise be assumed. Values are read later, by the engine.
 */
export function entitlementFromJson(value: unknown): JsonReading {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { faults: [reason('row_damaged', 'CLM-1', 'system_type', 'a calculation is a JSON object')] };
  }
  const input: Record<string, string> = {};
  const faults: Reason[] = [];
  for (const [name, cell] of Object.entries(value)) {
    const text = cellText(cell);
    if (!isColumn(name))
      faults.push(reason('field_invalid', 'CLM-1', '', `${quoted(name)} is not a known name`));
    else if (text === undefined)
      faults.push(reason('field_invalid', 'CLM-1', name, `${name} cannot be a list or an object`));
    else input[name] = text;
  }
  return faults.length > 0 ? { faults } : { input };
}

/** `computeEntitlement` for a JSON value: what is wrong with its shape is an `invalid` result too. */
export function computeEntitlementFromJson(
  value: unknown,
  policy: Policy = defaultPolicy,
): EntitlementResult {
  const reading = entitlementFromJson(value);
  if ('input' in reading) return computeEntitlement(reading.input, policy);
  const entitlement = invalidEntitlement(reading.faults, policy);
  return { ...entitlement, ...explainInvalid(entitlement) };
}
