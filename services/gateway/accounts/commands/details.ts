import type { CecDetailsGiven } from '#gateway/accounts/cec-details.ts';
import { currentText } from '#gateway/declarations/texts.ts';
import { refuse } from '#gateway/refusal.ts';
import { parseAbn } from '#shared/domain/abn.ts';
import { sydneyDay } from '#shared/domain/days.ts';
import type { Command } from './command.ts';

/** Confirms that what is given is what the CEC holds. */
export function recordCecDetails(given: CecDetailsGiven): Command {
  return () => {
    if (given.abn === undefined) return { kind: 'cec_details_recorded', data: given };
    const abn = parseAbn(given.abn);
    if (abn === undefined) return refuse('abn_invalid', `"${given.abn}" is not an ABN`);
    return { kind: 'cec_details_recorded', data: { ...given, abn } };
  };
}

/** The `Declaration for API Users`, in the wording that holds today. */
export function declareForApi(text: string): Command {
  return (_, { now }) => {
    const current = currentText('api_users', sydneyDay(now));
    if (text !== current?.id)
      return refuse('declaration_not_current', undefined, { current: current?.id ?? '' });
    return { kind: 'api_declaration_made', data: { text } };
  };
}
