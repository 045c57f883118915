import Type from 'typebox';
import { type Account, accountKinds } from '#gateway/accounts/account.ts';
import type { Accounts } from '#gateway/accounts/accounts.ts';
import { type Endpoint, guarded } from '#gateway/http/operation.ts';
import { isRefusal, refuse } from '#gateway/refusal.ts';
import { json, Time, Uuid } from './common.ts';

const Name = Type.String({ minLength: 1, maxLength: 200, pattern: '\\S' });
const Kind = Type.Enum([...accountKinds], { description: 'what the account is for' });
const Suppliers = Type.Array(Name, {
  maxItems: 1_000,
  description: 'supplier names that the account may upload for; left out for a supplier: its own name',
});

const KeyView = Type.Object(
  {
    id: Type.String(),
    label: Type.String(),
    created_at: Time('when it was made'),
    revoked_at: Type.Optional(Time('when it was revoked')),
  },
  { additionalProperties: false },
);

const AccountView = Type.Object(
  {
    id: Uuid,
    name: Name,
    kind: Kind,
    suppliers: Suppliers,
    version: Type.Integer(),
    keys: Type.Array(KeyView),
  },
  { additionalProperties: false },
);

const bodyBytesMax = 256 * 1024;
const operator = ['operator'] as const;

/** Accounts and their keys, for the operator. */
export function accountEndpoints(accounts: Accounts): readonly Endpoint[] {
  return [
    guarded(
      {
        id: 'createAccount',
        method: 'POST',
        path: '/v1/accounts',
        tag: 'accounts',
        summary: 'Create an account',
        access: operator,
        body: {
          kind: 'json',
          bytesMax: bodyBytesMax,
          schema: Type.Object(
            { name: Name, kind: Kind, suppliers: Type.Optional(Suppliers) },
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
        refusals: ['account_changed'],
      },
      async ({ body }, { account: by }) => {
        const account = await accounts.create({ ...body, suppliers: body.suppliers ?? [] }, by.id);
        if (isRefusal(account)) return account;
        return { status: 201, headers: { location: `/v1/accounts/${account.id}` }, body: viewOf(account) };
      },
    ),
    guarded(
      {
        id: 'getAccount',
        method: 'GET',
        path: '/v1/accounts/{account}',
        tag: 'accounts',
        summary: 'Show an account',
        access: operator,
        params: Type.Object({ account: Uuid }),
        answers: { 200: { description: 'The account.', content: json(AccountView) } },
        refusals: ['resource_not_found'],
      },
      async ({ params }) => {
        const account = accounts.get(params.account);
        return account ? { status: 200, body: viewOf(account) } : refuse('resource_not_found');
      },
    ),
    guarded(
      {
        id: 'createKey',
        method: 'POST',
        path: '/v1/accounts/{account}/keys',
        tag: 'accounts',
        summary: 'Give an account a key',
        description: 'The key is in this answer alone: only its hash is kept.',
        access: operator,
        params: Type.Object({ account: Uuid }),
        body: {
          kind: 'json',
          bytesMax: bodyBytesMax,
          schema: Type.Object({ label: Name }, { additionalProperties: false }),
          example: { label: 'upload job' },
        },
        answers: {
          201: {
            description: 'The key, shown once.',
            headers: { Location: 'address of the key' },
            content: json(
              Type.Object({ id: Type.String(), key: Type.String() }, { additionalProperties: false }),
            ),
          },
        },
        refusals: ['resource_not_found', 'account_changed'],
      },
      async ({ params, body }, { account: by }) => {
        const key = await accounts.addKey(params.account, body.label, by.id);
        if (isRefusal(key)) return key;
        const headers = {
          location: `/v1/accounts/${params.account}/keys/${key.id}`,
          'cache-control': 'no-store',
        };
        return { status: 201, headers, body: key };
      },
    ),
    guarded(
      {
        id: 'revokeKey',
        method: 'DELETE',
        path: '/v1/accounts/{account}/keys/{key}',
        tag: 'accounts',
        summary: 'Revoke a key',
        access: operator,
        params: Type.Object({ account: Uuid, key: Type.String({ maxLength: 40 }) }),
        answers: { 204: { description: 'The key is revoked, at every instance within moments.' } },
        refusals: ['resource_not_found', 'account_changed'],
      },
      async ({ params }, { account: by }) => {
        const refusal = await accounts.revokeKey(params.account, params.key, by.id);
        return refusal ?? { status: 204 };
      },
    ),
  ];
}

function viewOf({ id, name, kind, suppliers, version, keys }: Account): object {
  const shown = keys.map((key) => ({
    id: key.id,
    label: key.label,
    created_at: key.createdAt,
    ...(key.revokedAt === undefined ? {} : { revoked_at: key.revokedAt }),
  }));
  return { id, name, kind, suppliers, version, keys: shown };
}
