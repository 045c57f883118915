import { currentText } from '#gateway/declarations/texts.ts';
import { isRefusal, type Refusal, refuse } from '#gateway/refusal.ts';
import type { Sender } from '#gateway/submissions/rows.ts';
import { sydneyDay } from '#shared/domain/days.ts';
import type { Channel, Product } from '#shared/domain/serials.ts';
import { type Account, type AccountKind, isOfKind, pendingApplication } from './account.ts';
import type { Accounts } from './accounts.ts';
import { actorOf } from './actor.ts';
import { authorityTest, suppliersOf } from './authority.ts';
import type { Identity } from './book.ts';

export interface UploadIntent {
  readonly product: Product;
  readonly channel: Channel;
  /** Version of the text that is declared with this upload, if one is. */
  readonly declaration?: string;
}

/** An upload that may go on: on whose behalf its rows are, and what is kept with it of the declaration. */
export interface UploadPermit {
  readonly sender: Sender;
  /** Version of the declared text. */
  readonly declaration: string;
  readonly declaredBy: string;
}

type Knowledge = Pick<Accounts, 'now' | 'authoritiesOf' | 'apiDeclarationOf'>;

/** ACCT-2, F2: panels by suppliers and VSPs, the rest by who registered to provide it. */
export function kindsOfProduct(product: Product): readonly AccountKind[] {
  switch (product) {
    case 'panel':
      return ['supplier', 'vsp'];
    case 'inverter':
    case 'battery':
      return ['inverter_supplier'];
  }
}

/**
 * Whether an upload may begin, for every channel in one place, before anything of it is read: kind of account, then
 * declaration (DECL-1, DECL-2).
 */
export function permitUpload(
  accounts: Knowledge,
  identity: Identity,
  intent: UploadIntent,
): UploadPermit | Refusal {
  const sender = permitCheck(accounts, identity, intent.product);
  if (isRefusal(sender)) return sender;
  const declared = declaredFor(accounts, identity, intent);
  return isRefusal(declared) ? declared : { sender, ...declared };
}

/** Whether rows may be checked, of which nothing is stored: a declaration goes with an upload, and this is none. */
export function permitCheck(accounts: Knowledge, identity: Identity, product: Product): Sender | Refusal {
  const needed = kindsOfProduct(product);
  return isOfKind(identity.account, ...needed)
    ? senderOf(accounts, identity)
    : notProvided(identity.account, needed);
}

/** A6: whoever waits for an assessment is told so. */
function notProvided(account: Account, needed: readonly AccountKind[]): Refusal {
  const pending = pendingApplication(account);
  return pending?.kinds.some((kind) => needed.includes(kind))
    ? refuse('application_pending', undefined, { application: pending.id })
    : refuse('product_not_registered', undefined, { needed });
}

type Declared = Pick<UploadPermit, 'declaration' | 'declaredBy'>;

function declaredFor(accounts: Knowledge, identity: Identity, intent: UploadIntent): Declared | Refusal {
  switch (intent.channel) {
    case 'csv':
    case 'portal':
    case 'internal':
      return declaredWithFile(accounts, identity, intent.declaration);
    case 'json':
    case 'stream':
      return declaredForApi(accounts, identity);
  }
}

function declaredWithFile(
  accounts: Knowledge,
  identity: Identity,
  declaration: string | undefined,
): Declared | Refusal {
  const current = currentText('file_upload', sydneyDay(accounts.now()))?.id ?? '';
  if (declaration === undefined || declaration === '')
    return refuse('declaration_missing', undefined, { current });
  if (declaration !== current) return refuse('declaration_not_current', undefined, { current });
  return { declaration, declaredBy: actorOf(identity) };
}

/** D6: the literal answer of the interface stands in the refusal, with how to renew. */
function declaredForApi(accounts: Knowledge, { account }: Identity): Declared | Refusal {
  const of = accounts.apiDeclarationOf(account);
  const renew = { result: 'Unsuccessful', renew: '/v1/declarations/api-users' };
  switch (of.state) {
    case 'none':
      return refuse('api_declaration_missing', undefined, renew);
    case 'expired': {
      const { until, madeOn } = of;
      const detail = `it was made on ${madeOn} and ended with ${until}`;
      return refuse('api_declaration_expired', detail, { ...renew, until });
    }
    case 'current':
      return { declaration: of.declaration.text, declaredBy: of.declaration.by };
  }
}

/** Whose rows an account sends. Rows that name no supplier are its only supplier's, or its own. */
export function senderOf(accounts: Knowledge, { account }: Pick<Identity, 'account'>): Sender {
  const authorities = accounts.authoritiesOf(account);
  const [only, ...others] = suppliersOf(authorities);
  return {
    supplier: only !== undefined && others.length === 0 ? only : account.name,
    mayUploadFor: authorityTest(authorities, sydneyDay(accounts.now())),
  };
}
