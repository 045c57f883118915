import Type from 'typebox';
import { type Account, everyKind, isUser, keySlots } from '#gateway/accounts/account.ts';
import { actorOf } from '#gateway/accounts/actor.ts';
import type { Identity } from '#gateway/accounts/book.ts';
import {
  giveKey,
  type Keyed,
  openSubscription,
  revokeKey,
  revokeSubscription,
  rotateKey,
} from '#gateway/accounts/commands/subscriptions.ts';
import { type Endpoint, guarded } from '#gateway/http/operation.ts';
import { isRefusal, type Refusal, refuse } from '#gateway/refusal.ts';
import type { AccountApi } from './accounts.ts';
import { json, Name, Uuid } from './common.ts';
import { KeyedHeaders, markOf } from './keyed.ts';
import { administeredAccount, ownAccount } from './standing.ts';

const bodyBytesMax = 16 * 1024;
const SubscriptionId = Type.String({ minLength: 1, maxLength: 40 });
const Slot = Type.Enum([...keySlots]);
const KeyText = Type.String({ description: 'the key itself, shown this once' });

export const KeysView = Type.Object(
  { subscription: Type.String(), primary_key: KeyText, secondary_key: KeyText },
  { additionalProperties: false },
);

export function keysView({ subscription, keys }: Keyed): object {
  return { subscription, primary_key: keys.primary?.text, secondary_key: keys.secondary?.text };
}

/** Of a request that has come before, and been answered elsewhere or long ago: its keys are not these, nor can they be shown. */
export function shownBefore(account: Account, keyed: Keyed): Refusal | undefined {
  const isOwn = Object.values(keyed.keys).every(({ id }) => account.keys.some((key) => key.id === id));
  if (isOwn) return undefined;
  const { subscription } = account.keys.at(-1)!;
  return refuse('keys_shown_before', undefined, { account: account.id, subscription });
}

/** What an answer with a key in it must say to whatever stands between. */
const unkept = { 'cache-control': 'no-store' } as const;

/** Subscriptions and their keys. Either key is accepted, so that one can be rotated while the other is in use. */
export function subscriptionEndpoints({ accounts, keyAnswers }: AccountApi): readonly Endpoint[] {
  return [
    guarded(
      {
        id: 'createSubscription',
        method: 'POST',
        path: '/v1/accounts/{account}/subscriptions',
        tag: 'subscriptions',
        summary: 'Subscribe to the Serial Number Ledger',
        description:
          'Gives a primary and a secondary key that act as the user who asks; they are in this answer alone, only their hashes are kept. A user of several accounts may ask with a key of any of them.',
        access: everyKind,
        params: Type.Object({ account: Uuid }),
        headers: KeyedHeaders,
        body: {
          kind: 'json',
          bytesMax: bodyBytesMax,
          schema: Type.Object(
            {
              name: Name,
              terms: Type.String({ maxLength: 100, description: 'version of the terms of use, agreed to' }),
            },
            { additionalProperties: false },
          ),
          example: { name: 'nightly upload', terms: 'terms-of-use-1' },
        },
        answers: {
          201: { description: 'The keys, shown once.', content: json(KeysView) },
        },
        refusals: [
          'resource_not_found',
          'account_changed',
          'terms_not_agreed',
          'subscription_name_taken',
          'subscriptions_too_many',
          'keys_shown_before',
        ],
      },
      async (call, identity) => {
        const { params, body } = call;
        const account = accounts.get(params.account);
        if (!account || !(account.id === identity.account.id || isUser(account, identity.user)))
          return refuse('resource_not_found');
        const mark = markOf('createSubscription', call, identity);
        return keyAnswers.once(mark, async () => {
          const keyed = openSubscription({ ...body, user: identity.user }, accounts.now());
          const changed = await accounts.change(account.id, keyed.command, actorOf(identity), mark);
          if (isRefusal(changed)) return changed;
          return shownBefore(changed, keyed) ?? { status: 201, headers: unkept, body: keysView(keyed) };
        });
      },
    ),
    guarded(
      {
        id: 'rotateKey',
        method: 'POST',
        path: '/v1/accounts/{account}/subscriptions/{subscription}/keys/{slot}',
        tag: 'subscriptions',
        summary: 'Replace one key of a subscription',
        description: 'The key that was in the slot ends at once; the other one is not touched.',
        access: everyKind,
        params: Type.Object({ account: Uuid, subscription: SubscriptionId, slot: Slot }),
        headers: KeyedHeaders,
        answers: {
          201: {
            description: 'The new key, shown once.',
            content: json(
              Type.Object(
                { subscription: Type.String(), slot: Slot, key: KeyText },
                { additionalProperties: false },
              ),
            ),
          },
        },
        refusals: ['resource_not_found', 'account_changed', 'owner_needed', 'keys_shown_before'],
      },
      async (call, identity) => {
        const { params } = call;
        const own = ownAccount(identity, params.account);
        if (isRefusal(own)) return own;
        const subscription = own.subscriptions.find(({ id }) => id === params.subscription);
        if (!subscription) return refuse('resource_not_found');
        if (subscription.user !== identity.user) return refuse('owner_needed');
        const mark = markOf('rotateKey', call, identity);
        return keyAnswers.once(mark, async () => {
          const keyed = rotateKey(subscription.id, params.slot);
          const changed = await accounts.change(own.id, keyed.command, actorOf(identity), mark);
          if (isRefusal(changed)) return changed;
          const key = keyed.keys[params.slot]!.text;
          const body = { subscription: subscription.id, slot: params.slot, key };
          return shownBefore(changed, keyed) ?? { status: 201, headers: unkept, body };
        });
      },
    ),
    guarded(
      {
        id: 'revokeSubscription',
        method: 'DELETE',
        path: '/v1/accounts/{account}/subscriptions/{subscription}',
        tag: 'subscriptions',
        summary: 'End a subscription and its keys',
        access: everyKind,
        params: Type.Object({ account: Uuid, subscription: SubscriptionId }),
        answers: { 204: { description: 'Its keys are revoked, at every instance within moments.' } },
        refusals: ['resource_not_found', 'account_changed', 'administrator_needed'],
      },
      async ({ params }, identity) => {
        const account = revocable(accounts, identity, params.account, params.subscription);
        if (isRefusal(account)) return account;
        const command = revokeSubscription(params.subscription);
        const changed = await accounts.change(account.id, command, actorOf(identity));
        return isRefusal(changed) ? changed : { status: 204 };
      },
    ),
    guarded(
      {
        id: 'createKey',
        method: 'POST',
        path: '/v1/accounts/{account}/keys',
        tag: 'subscriptions',
        summary: 'Give an account a key',
        description:
          'A subscription with one key, from an operator’s hand. With `user` it acts as that user of the account, else for the account and as nobody in particular: such a key cannot administer the account.',
        access: ['operator'],
        params: Type.Object({ account: Uuid }),
        headers: KeyedHeaders,
        body: {
          kind: 'json',
          bytesMax: bodyBytesMax,
          schema: Type.Object({ label: Name, user: Type.Optional(Uuid) }, { additionalProperties: false }),
          example: { label: 'upload job' },
        },
        answers: {
          201: {
            description: 'The key, shown once.',
            headers: { Location: 'address of the key' },
            content: json(Type.Object({ id: Type.String(), key: KeyText }, { additionalProperties: false })),
          },
        },
        refusals: ['resource_not_found', 'account_changed', 'user_unknown', 'keys_shown_before'],
      },
      async (call, identity) => {
        const { params, body } = call;
        const mark = markOf('createKey', call, identity);
        return keyAnswers.once(mark, async () => {
          const keyed = giveKey(body.label, body.user);
          const changed = await accounts.change(params.account, keyed.command, actorOf(identity), mark);
          if (isRefusal(changed)) return changed;
          const { id, text: key } = keyed.keys.primary!;
          const location = `/v1/accounts/${params.account}/keys/${id}`;
          const answer = { status: 201, headers: { location, ...unkept }, body: { id, key } };
          return shownBefore(changed, keyed) ?? answer;
        });
      },
    ),
    guarded(
      {
        id: 'revokeKey',
        method: 'DELETE',
        path: '/v1/accounts/{account}/keys/{key}',
        tag: 'subscriptions',
        summary: 'Revoke one key',
        access: everyKind,
        params: Type.Object({ account: Uuid, key: Type.String({ maxLength: 40 }) }),
        answers: { 204: { description: 'The key is revoked, at every instance within moments.' } },
        refusals: ['resource_not_found', 'account_changed', 'administrator_needed'],
      },
      async ({ params }, identity) => {
        const known = accounts.get(params.account)?.keys.find(({ id }) => id === params.key);
        const account = revocable(accounts, identity, params.account, known?.subscription ?? '');
        if (isRefusal(account)) return account;
        const changed = await accounts.change(account.id, revokeKey(params.key), actorOf(identity));
        return isRefusal(changed) ? changed : { status: 204 };
      },
    ),
  ];
}

/** Whoever made a subscription may end it; so may the administrators of its account, and operators. */
function revocable(
  accounts: AccountApi['accounts'],
  identity: Identity,
  id: string,
  subscription: string,
): { readonly id: string } | Refusal {
  if (identity.account.kinds.includes('operator')) return accounts.get(id) ?? refuse('resource_not_found');
  const own = ownAccount(identity, id);
  if (isRefusal(own)) return own;
  const known = own.subscriptions.find((of) => of.id === subscription);
  if (!known) return refuse('resource_not_found');
  return known.user === identity.user ? own : administeredAccount(identity, id);
}
