import {
  type Account,
  type AccountKind,
  type Application,
  type ContactPerson,
  pendingApplication,
} from '#gateway/accounts/account.ts';
import { detailFaults } from '#gateway/accounts/cec-details.ts';
import { newId } from '#gateway/ids.ts';
import { refuse } from '#gateway/refusal.ts';
import { parseAbn } from '#shared/domain/abn.ts';
import type { Command } from './command.ts';

export interface ApplicationGiven {
  readonly kinds: readonly AccountKind[];
  readonly legalName: string;
  readonly abn: string;
  readonly contact: ContactPerson;
}

/** ACCT-3: asks for kinds. `detailsDaysMax` is the age from which details of the CEC are stale. */
export function lodgeApplication(given: ApplicationGiven, detailsDaysMax: number): Command {
  return (account, { now }) => {
    if (!given.kinds.includes('general')) return refuse('general_account_missing');
    const abn = parseAbn(given.abn);
    if (abn === undefined) return refuse('abn_invalid', `"${given.abn}" is not an ABN`);
    const kinds = [...new Set(given.kinds)];
    const asked = kinds.filter((kind) => !account.kinds.includes(kind));
    if (asked.length === 0) return refuse('kinds_held', undefined, { held: account.kinds });
    const pending = pendingApplication(account);
    if (pending) return refuse('application_open', undefined, { application: pending.id });
    const faults = detailFaults(account.cecDetails, now, detailsDaysMax);
    if (asked.includes('inverter_supplier') && faults.missing.length + faults.stale.length > 0)
      return refuse('cec_details_incomplete', undefined, { ...faults });
    const { legalName: legal_name, contact } = given;
    return { kind: 'application_lodged', data: { application: newId(now), kinds, legal_name, abn, contact } };
  };
}

/** The regulator's word on an application; a refusal says why. */
export function assessApplication(id: string, decision: 'approved' | 'refused', reason: string): Command {
  return (account) => {
    const application = applicationOf(account, id);
    if (!application) return refuse('resource_not_found');
    if (application.assessment)
      return refuse('application_assessed', undefined, { decision: application.assessment.decision });
    if (decision === 'refused' && reason.trim() === '') return refuse('refusal_without_reason');
    return { kind: 'application_assessed', data: { application: id, decision, reason } };
  };
}

export function applicationOf(account: Account, id: string): Application | undefined {
  return account.applications.find((of) => of.id === id);
}
