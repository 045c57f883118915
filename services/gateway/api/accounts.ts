import Type from 'typebox';
import { everyKind, kindsOfWord, type staffKinds } from '#gateway/accounts/account.ts';
import type { Accounts } from '#gateway/accounts/accounts.ts';
import { actorOf } from '#gateway/accounts/actor.ts';
import { recordCecDetails } from '#gateway/accounts/commands/details.ts';
import { changeContact } from '#gateway/accounts/commands/users.ts';
import { type Endpoint, guarded } from '#gateway/http/operation.ts';
import { isRefusal, refuse } from '#gateway/refusal.ts';
import { Abn, AccountView, accountView, Brands, Contact, Kind, Kinds } from './account-views.ts';
import { defined, json, Name, Uuid } from './common.ts';
import { type KeyAnswers, KeyedHeaders, markOf } from './keyed.ts';
import { administeredAccount, visibleAccount } from './standing.ts';

export interface AccountApi {
  readonly accounts: Accounts;
  /** What was answered with keys in it. */
  readonly keyAnswers: KeyAnswers;
  /** A11: age from which details of the CEC are stale. */
  readonly detailsDaysMax: number;
}

const Suppliers = Type.Array(Name, {
  maxItems: 1_000,
  description:
    'supplier names that the account may upload for, whatever the holder; left out for a supplier: its own name',
});

const listMax = 500;
const bodyBytesMax = 256 * 1024;
const staff: readonly (typeof staffKinds)[number][] = ['operator', 'regulator'];

/** Accounts as a whole: made and found by the agency, shown to their own, and what the CEC holds of them. */
export function accountEndpoints({ accounts, detailsDaysMax }: AccountApi): readonly Endpoint[] {
  const viewOf = (account: Parameters<typeof accountView>[1]) =>
    accountView(accounts, account, detailsDaysMax);
  return [
    guarded(
      {
        id: 'createAccount',
        method: 'POST',
        path: '/v1/accounts',
        tag: 'accounts',
        summary: 'Create an account',
        description:
          'An account that needs no application. `kinds` says exactly which kinds it has; `kind` is a word for the usual ones: `supplier` is a general account that provides panels, inverters and batteries. An account of the agency itself is made by an operator.',
        access: staff,
        headers: KeyedHeaders,
        body: {
          kind: 'json',
          bytesMax: bodyBytesMax,
          schema: Type.Object(
            {
              name: Name,
              kind: Type.Optional(Kind),
              kinds: Type.Optional(Kinds),
              suppliers: Type.Optional(Suppliers),
              contact: Type.Optional(Uuid),
            },
            { additionalProperties: false },
          ),
          example: { name: 'Acme Imports Pty Ltd', kind: 'supplier', suppliers: ['Acme Imports Pty Ltd'] },
        },
        answers: {
          201: {
            description: 'The account. It has no key yet.',
            headers: { Location: 'address of the account' },
            content: json(AccountView),
          },
        },
        refusals: ['account_changed', 'general_account_missing', 'staff_kind_alone', 'user_unknown'],
      },
      async (call, identity) => {
        const { body } = call;
        const { name, kind, suppliers = [], contact } = body;
        if ((kind === undefined) === (body.kinds === undefined))
          return refuse('request_invalid', 'body must name either `kind` or `kinds`');
        const kinds = body.kinds ?? kindsOfWord(kind!);
        const ofStaff = kinds.some((of) => staff.some((kind) => kind === of));
        if (ofStaff && !identity.account.kinds.includes('operator'))
          return refuse('not_permitted', 'accounts of the agency are made by an operator', {
            permitted: ['operator'],
          });
        const account = await accounts.create(
          { name, kinds, suppliers, ...defined({ contact }) },
          actorOf(identity),
          markOf('createAccount', call, identity),
        );
        if (isRefusal(account)) return account;
        return { status: 201, headers: { location: `/v1/accounts/${account.id}` }, body: viewOf(account) };
      },
    ),
    guarded(
      {
        id: 'listAccounts',
        method: 'GET',
        path: '/v1/accounts',
        tag: 'accounts',
        summary: 'List all accounts',
        access: staff,
        query: Type.Object(
          {
            after: Type.Optional(Uuid),
            limit: Type.Optional(Type.Integer({ minimum: 1, maximum: listMax })),
          },
          { additionalProperties: false },
        ),
        answers: {
          200: {
            description: 'Accounts in the order of their ids; `next` is where the next page begins.',
            content: json(
              Type.Object(
                {
                  accounts: Type.Array(
                    Type.Object({ id: Uuid, name: Name, kinds: Kinds }, { additionalProperties: false }),
                  ),
                  next: Type.Optional(Uuid),
                },
                { additionalProperties: false },
              ),
            ),
          },
        },
        refusals: [],
      },
      async ({ query: { after = '', limit = listMax } }) => {
        const rest = [...accounts.book.accounts()]
          .filter(({ id }) => id > after)
          .toSorted((a, b) => (a.id < b.id ? -1 : 1));
        const page = rest.slice(0, limit).map(({ id, name, kinds }) => ({ id, name, kinds }));
        const next = rest.length > limit ? page.at(-1)?.id : undefined;
        return { status: 200, body: { accounts: page, ...defined({ next }) } };
      },
    ),
    guarded(
      {
        id: 'getAccount',
        method: 'GET',
        path: '/v1/accounts/{account}',
        tag: 'accounts',
        summary: 'Show an account',
        access: everyKind,
        params: Type.Object({ account: Uuid }),
        answers: { 200: { description: 'The account.', content: json(AccountView) } },
        refusals: ['resource_not_found'],
      },
      async ({ params }, identity) => {
        const account = visibleAccount(accounts, identity, params.account);
        return isRefusal(account) ? account : { status: 200, body: viewOf(account) };
      },
    ),
    guarded(
      {
        id: 'changeContact',
        method: 'PUT',
        path: '/v1/accounts/{account}/contact',
        tag: 'accounts',
        summary: 'Change the nominated contact of an account',
        description: 'Through the agency alone. The contact has administrator permission.',
        access: staff,
        params: Type.Object({ account: Uuid }),
        body: {
          kind: 'json',
          bytesMax: bodyBytesMax,
          schema: Type.Object({ user: Uuid }, { additionalProperties: false }),
          example: { user: '019f0000-0000-7000-8000-000000000000' },
        },
        answers: { 200: { description: 'The account.', content: json(AccountView) } },
        refusals: ['resource_not_found', 'account_changed', 'user_unknown'],
      },
      async ({ params, body }, identity) => {
        const account = await accounts.change(params.account, changeContact(body.user), actorOf(identity));
        return isRefusal(account) ? account : { status: 200, body: viewOf(account) };
      },
    ),
    guarded(
      {
        id: 'recordCecDetails',
        method: 'PUT',
        path: '/v1/accounts/{account}/cec-details',
        tag: 'accounts',
        summary: 'Record details as the CEC holds them',
        description:
          'Confirms that what is given is what the CEC holds now; details that are left out stay as they were.',
        access: ['general'],
        params: Type.Object({ account: Uuid }),
        body: {
          kind: 'json',
          bytesMax: bodyBytesMax,
          schema: Type.Object(
            {
              company_name: Type.Optional(Name),
              abn: Type.Optional(Abn),
              brands: Type.Optional(Brands),
              contact: Type.Optional(Contact),
            },
            { additionalProperties: false, minProperties: 1 },
          ),
          example: {
            company_name: 'Acme Imports Pty Ltd',
            abn: '51 824 753 556',
            brands: [{ brand: 'Brightgrid', models: ['BG-5000TL (AS4777-2 2020)'] }],
            contact: { name: 'Ann Example', email: 'ann@example.org', phone: '02 5550 0000' },
          },
        },
        answers: { 200: { description: 'The account.', content: json(AccountView) } },
        refusals: ['resource_not_found', 'account_changed', 'administrator_needed', 'abn_invalid'],
      },
      async ({ params, body }, identity) => {
        const own = administeredAccount(identity, params.account);
        if (isRefusal(own)) return own;
        const account = await accounts.change(own.id, recordCecDetails(body), actorOf(identity));
        return isRefusal(account) ? account : { status: 200, body: viewOf(account) };
      },
    ),
  ];
}
