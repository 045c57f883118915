import { normalise } from '#shared/domain/normalise.ts';
import type { ApplicationReason } from '#shared/domain/reasons.ts';
import type { Account, Application } from './account.ts';
import type { AccountBook } from './book.ts';
import { detailFaults } from './cec-details.ts';

/** A code of the catalogue; what it is about. */
export interface ApplicationFinding {
  readonly code: ApplicationReason;
  readonly detail: string;
}

/** A5: what the assessor of an application should look at. Names other accounts, so it is for the regulator alone. */
export function applicationFindings(
  account: Account,
  application: Application,
  book: Pick<AccountBook, 'accounts' | 'user'>,
  options: { readonly now: number; readonly detailsDaysMax: number },
): readonly ApplicationFinding[] {
  const { company_name, abn } = account.cecDetails;
  const contact = account.contact === undefined ? undefined : book.user(account.contact);
  const { missing, stale } = detailFaults(account.cecDetails, options.now, options.detailsDaysMax);
  const sharing = [...book.accounts()].filter(
    (other) => other.id !== account.id && other.applications.some((of) => of.abn === application.abn),
  );
  const findings: readonly (ApplicationFinding | false | undefined)[] = [
    company_name &&
      normalise(company_name.value) !== normalise(application.legalName) && {
        code: 'legal_name_differs',
        detail: `"${application.legalName}", the CEC has "${company_name.value}"`,
      },
    abn &&
      abn.value !== application.abn && {
        code: 'abn_differs',
        detail: `${application.abn}, the CEC has ${abn.value}`,
      },
    normalise(contact?.email ?? '') !== normalise(application.contact.email) && {
      code: 'contact_differs',
      detail: `${application.contact.email}, nominated is ${contact?.email ?? 'nobody'}`,
    },
    missing.length > 0 && { code: 'cec_details_missing', detail: missing.join(', ') },
    stale.length > 0 && { code: 'cec_details_stale', detail: stale.join(', ') },
    sharing.length > 0 && {
      code: 'abn_used_elsewhere',
      detail: sharing.map(({ id, name }) => `${name} (${id})`).join(', '),
    },
  ];
  return findings.filter((finding) => typeof finding === 'object');
}
