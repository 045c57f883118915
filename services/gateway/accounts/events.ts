import type { AccountKind, ContactPerson, KeySlot } from './account.ts';
import type { CecDetailsGiven } from './cec-details.ts';

/**
 * One value of the log `accounts`; mirrors schemas/AccountEvent.avsc. `account` names whose event it is: an account, a
 * user, or the record of a key's use. Each has versions of its own.
 */
export interface AccountEvent {
  readonly event: string;
  readonly account: string;
  readonly version: number;
  readonly kind: string;
  readonly at: number;
  readonly by: string;
  readonly data: string;
  /** Of a request with an Idempotency-Key: its mark. */
  readonly request?: string;
  readonly request_sha256?: string;
}

interface Change<Kind extends string, Data> {
  readonly kind: Kind;
  readonly data: Data;
}

/** What an event says, by its kind; JSON in the event's `data`. A kind keeps its meaning for ever. */
export type AccountChange =
  | Change<
      'account_created',
      {
        readonly name: string;
        /** The one word that the kinds follow from, where they are not given. */
        readonly kind: AccountKind;
        /** Authority for any licensee or manufacturer. */
        readonly suppliers: readonly string[];
        readonly kinds?: readonly AccountKind[];
        readonly contact?: string;
      }
    >
  /** A subscription with a primary key alone, given by an operator. */
  | Change<
      'key_created',
      { readonly key: string; readonly label: string; readonly sha256: string; readonly user?: string }
    >
  | Change<'key_revoked', { readonly key: string }>
  | Change<
      'subscription_created',
      {
        readonly subscription: string;
        readonly name: string;
        readonly user?: string;
        readonly terms: string;
        readonly keys: readonly { readonly key: string; readonly slot: KeySlot; readonly sha256: string }[];
      }
    >
  | Change<
      'key_rotated',
      {
        readonly subscription: string;
        readonly slot: KeySlot;
        readonly key: string;
        readonly sha256: string;
      }
    >
  | Change<'subscription_revoked', { readonly subscription: string }>
  | Change<'contact_changed', { readonly user: string }>
  | Change<'user_permitted', { readonly user: string; readonly administrator: boolean }>
  | Change<'user_removed', { readonly user: string }>
  | Change<
      'application_lodged',
      {
        readonly application: string;
        readonly kinds: readonly AccountKind[];
        readonly legal_name: string;
        readonly abn: string;
        readonly contact: ContactPerson;
      }
    >
  | Change<
      'application_assessed',
      {
        readonly application: string;
        readonly decision: 'approved' | 'refused';
        readonly reason: string;
      }
    >
  | Change<
      'authority_granted',
      {
        readonly authority: string;
        readonly supplier: string;
        readonly holder?: string;
        readonly models?: readonly string[];
        readonly from?: string;
        readonly to?: string;
      }
    >
  | Change<'authority_ended', { readonly authority: string; readonly to: string }>
  | Change<'provider_named', { readonly account: string }>
  | Change<'provider_withdrawn', { readonly account: string }>
  | Change<'cec_details_recorded', CecDetailsGiven>
  | Change<'api_declaration_made', { readonly text: string }>;

/** A person of the Client Portal; versions count on the user. */
export type UserChange = Change<'user_registered', { readonly name: string; readonly email: string }>;

/** The first use of a key on a Sydney day; versions count on the key's use. */
export type KeyUseChange = Change<'key_used', { readonly key: string; readonly day: string }>;
