import Type from 'typebox';
import { everyKind, isAdministrator } from '#gateway/accounts/account.ts';
import { actorOf } from '#gateway/accounts/actor.ts';
import { openSubscription, termsRefusal } from '#gateway/accounts/commands/subscriptions.ts';
import { permitUser, removeUser } from '#gateway/accounts/commands/users.ts';
import { partOf, type RequestMark } from '#gateway/accounts/request-mark.ts';
import { type Answer, type Endpoint, guarded, open } from '#gateway/http/operation.ts';
import { isRefusal, type Refusal } from '#gateway/refusal.ts';
import { AccountView, accountView, Kinds } from './account-views.ts';
import type { AccountApi } from './accounts.ts';
import { defined, Email, json, Name, Uuid } from './common.ts';
import { KeyedHeaders, markOf } from './keyed.ts';
import { administeredAccount } from './standing.ts';
import { KeysView, keysView, shownBefore } from './subscriptions.ts';

const bodyBytesMax = 16 * 1024;
const UserView = Type.Object({ id: Uuid, name: Name, email: Email }, { additionalProperties: false });

/** People: signing up, and who is a user of an account. */
export function peopleEndpoints({ accounts, detailsDaysMax }: AccountApi): readonly Endpoint[] {
  return [
    guarded(
      {
        id: 'registerUser',
        method: 'POST',
        path: '/v1/users',
        tag: 'people',
        summary: 'Register a person',
        description:
          'The id names the person when users are added to accounts, or a contact is nominated. It is for those to know who are to add the person.',
        access: ['operator', 'regulator'],
        headers: KeyedHeaders,
        body: {
          kind: 'json',
          bytesMax: bodyBytesMax,
          schema: Type.Object({ name: Name, email: Email }, { additionalProperties: false }),
          example: { name: 'Ann Example', email: 'ann@example.org' },
        },
        answers: { 201: { description: 'The person.', content: json(UserView) } },
        refusals: [],
      },
      async (call, identity) => {
        const mark = markOf('registerUser', call, identity);
        const user = await accounts.registerUser(call.body, actorOf(identity), mark);
        if (isRefusal(user)) return user;
        const { id, name, email } = user;
        return { status: 201, body: { id, name, email } };
      },
    ),
    guarded(
      {
        id: 'whoAmI',
        method: 'GET',
        path: '/v1/me',
        tag: 'people',
        summary: 'Whose key this is',
        access: everyKind,
        answers: {
          200: {
            description: 'The account of the key, and its user, if it is anybody’s in particular.',
            content: json(
              Type.Object(
                {
                  account: Uuid,
                  account_name: Name,
                  kinds: Kinds,
                  key: Type.String(),
                  user: Type.Optional(UserView),
                  administrator: Type.Boolean(),
                },
                { additionalProperties: false },
              ),
            ),
          },
        },
        refusals: [],
      },
      async (_, { account, key, user: id }) => {
        const known = id === undefined ? undefined : accounts.book.user(id);
        const user = known && { id: known.id, name: known.name, email: known.email };
        const { id: own, name, kinds } = account;
        const administrator = isAdministrator(account, id);
        return {
          status: 200,
          body: { account: own, account_name: name, kinds, key, ...defined({ user }), administrator },
        };
      },
    ),
    guarded(
      {
        id: 'permitUser',
        method: 'PUT',
        path: '/v1/accounts/{account}/users/{user}',
        tag: 'people',
        summary: 'Add a user to the account, or change what one may do',
        description: 'For the nominated contact and administrators, once an application was approved.',
        access: everyKind,
        params: Type.Object({ account: Uuid, user: Uuid }),
        body: {
          kind: 'json',
          bytesMax: bodyBytesMax,
          schema: Type.Object({ administrator: Type.Boolean() }, { additionalProperties: false }),
          example: { administrator: false },
        },
        answers: { 200: { description: 'The account.', content: json(AccountView) } },
        refusals: [
          'resource_not_found',
          'account_changed',
          'administrator_needed',
          'users_before_assessment',
          'users_too_many',
          'user_unknown',
        ],
      },
      async ({ params, body }, identity) => {
        const own = administeredAccount(identity, params.account);
        if (isRefusal(own)) return own;
        const command = permitUser(params.user, body.administrator);
        const account = await accounts.change(own.id, command, actorOf(identity));
        if (isRefusal(account)) return account;
        return { status: 200, body: accountView(accounts, account, detailsDaysMax) };
      },
    ),
    guarded(
      {
        id: 'removeUser',
        method: 'DELETE',
        path: '/v1/accounts/{account}/users/{user}',
        tag: 'people',
        summary: 'Remove a user from the account',
        description: 'The user’s keys of this account are revoked with it.',
        access: everyKind,
        params: Type.Object({ account: Uuid, user: Uuid }),
        answers: { 204: { description: 'The user is removed.' } },
        refusals: ['resource_not_found', 'account_changed', 'administrator_needed', 'contact_stays'],
      },
      async ({ params }, identity) => {
        const own = administeredAccount(identity, params.account);
        if (isRefusal(own)) return own;
        const account = await accounts.change(own.id, removeUser(params.user), actorOf(identity));
        return isRefusal(account) ? account : { status: 204 };
      },
    ),
  ];
}

/** The way in for people whom the agency does not know yet. */
export function signUpEndpoints(
  { accounts, keyAnswers }: AccountApi,
  options: { readonly perMinuteMax: number },
): readonly Endpoint[] {
  return [
    open(
      {
        id: 'signUp',
        method: 'POST',
        path: '/v1/sign-ups',
        tag: 'people',
        summary: 'Sign up',
        description:
          'Registers a person and opens a general account with the person as its contact. With the keys the account can apply for what it is to do.',
        access: 'public',
        perMinuteMax: options.perMinuteMax,
        headers: KeyedHeaders,
        body: {
          kind: 'json',
          bytesMax: bodyBytesMax,
          schema: Type.Object(
            {
              name: Name,
              email: Email,
              account_name: Name,
              terms: Type.String({ maxLength: 100, description: 'version of the terms of use, agreed to' }),
            },
            { additionalProperties: false },
          ),
          example: {
            name: 'Ann Example',
            email: 'ann@example.org',
            account_name: 'Acme Imports Pty Ltd',
            terms: 'terms-of-use-1',
          },
        },
        answers: {
          201: {
            description: 'The person, the account, and the keys of its first subscription, shown once.',
            headers: { Location: 'address of the account' },
            content: json(
              Type.Object(
                { user: Uuid, account: Uuid, ...KeysView.properties },
                { additionalProperties: false },
              ),
            ),
          },
        },
        refusals: ['terms_not_agreed', 'account_changed', 'keys_shown_before'],
      },
      async (call) => {
        const mark = markOf('signUp', call, undefined);
        return keyAnswers.once(mark, () => signUp(accounts, call.body, mark));
      },
    ),
  ];
}

interface SignUp {
  readonly name: string;
  readonly email: string;
  readonly account_name: string;
  readonly terms: string;
}

/** Person, account and keys, one after another: whoever comes again with the same key goes on where it ended. */
async function signUp(
  accounts: AccountApi['accounts'],
  given: SignUp,
  mark: RequestMark | undefined,
): Promise<Answer | Refusal> {
  const part = (name: string) => mark && partOf(mark, name);
  const now = accounts.now();
  const refusal = termsRefusal(given.terms, now);
  if (refusal) return refusal;
  const user = await accounts.registerUser(given, undefined, part('user'));
  if (isRefusal(user)) return user;
  const by = `user:${user.id}`;
  const opened = await accounts.create(
    { name: given.account_name, kinds: ['general'], suppliers: [], contact: user.id },
    by,
    part('account'),
  );
  if (isRefusal(opened)) return opened;
  const keyed = openSubscription({ name: 'sign-up', user: user.id, terms: given.terms }, now);
  const account = await accounts.change(opened.id, keyed.command, by, part('keys'));
  if (isRefusal(account)) return account;
  const shown = shownBefore(account, keyed);
  if (shown) return shown;
  return {
    status: 201,
    headers: { location: `/v1/accounts/${account.id}`, 'cache-control': 'no-store' },
    body: { user: user.id, account: account.id, ...keysView(keyed) },
  };
}
