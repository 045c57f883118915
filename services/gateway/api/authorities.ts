import Type from 'typebox';
import { actorOf } from '#gateway/accounts/actor.ts';
import {
  endAuthority,
  grantAuthority,
  nameProvider,
  withdrawProvider,
} from '#gateway/accounts/commands/authorities.ts';
import { type Endpoint, guarded } from '#gateway/http/operation.ts';
import { isRefusal } from '#gateway/refusal.ts';
import { AuthorityFields, AuthorityView, authorityView } from './account-views.ts';
import type { AccountApi } from './accounts.ts';
import { Day, json, Uuid } from './common.ts';
import { KeyedHeaders, markOf } from './keyed.ts';
import { administeredAccount } from './standing.ts';

const bodyBytesMax = 512 * 1024;
const AuthorityId = Type.String({ minLength: 1, maxLength: 40 });

/** Which rows an account may upload (SUP-2): granted by the regulator, lent by a supplier to those who verify for it. */
export function authorityEndpoints({ accounts }: AccountApi): readonly Endpoint[] {
  return [
    guarded(
      {
        id: 'grantAuthority',
        method: 'POST',
        path: '/v1/accounts/{account}/authorities',
        tag: 'authorities',
        summary: 'Let an account upload for a supplier',
        description:
          'For any holder and model unless they are named, for ever unless days are given. Rows outside are `supplier_not_authorised`, by the day of their upload.',
        access: ['regulator'],
        params: Type.Object({ account: Uuid }),
        headers: KeyedHeaders,
        body: {
          kind: 'json',
          bytesMax: bodyBytesMax,
          schema: Type.Object(AuthorityFields, { additionalProperties: false }),
          example: { supplier: 'Acme Imports Pty Ltd', holder: 'Sunmaker Co Ltd', from: '2026-01-01' },
        },
        answers: { 201: { description: 'The authority.', content: json(AuthorityView) } },
        refusals: ['resource_not_found', 'account_changed', 'period_invalid', 'authorities_too_many'],
      },
      async (call, identity) => {
        const { params, body } = call;
        const command = grantAuthority(body, accounts.now());
        const mark = markOf('grantAuthority', call, identity);
        const account = await accounts.change(params.account, command, actorOf(identity), mark);
        if (isRefusal(account)) return account;
        return { status: 201, body: authorityView(account.authorities.at(-1)!) };
      },
    ),
    guarded(
      {
        id: 'endAuthority',
        method: 'PUT',
        path: '/v1/accounts/{account}/authorities/{authority}/end',
        tag: 'authorities',
        summary: 'Say on which day an authority ends',
        description: 'What was uploaded until then stands.',
        access: ['regulator'],
        params: Type.Object({ account: Uuid, authority: AuthorityId }),
        body: {
          kind: 'json',
          bytesMax: bodyBytesMax,
          schema: Type.Object({ to: Day('last day') }, { additionalProperties: false }),
          example: { to: '2026-12-31' },
        },
        answers: { 200: { description: 'The authority.', content: json(AuthorityView) } },
        refusals: ['resource_not_found', 'account_changed'],
      },
      async ({ params, body }, identity) => {
        const command = endAuthority(params.authority, body.to);
        const account = await accounts.change(params.account, command, actorOf(identity));
        if (isRefusal(account)) return account;
        const ended = account.authorities.find(({ id }) => id === params.authority)!;
        return { status: 200, body: authorityView(ended) };
      },
    ),
    guarded(
      {
        id: 'nameProvider',
        method: 'PUT',
        path: '/v1/accounts/{account}/verification-providers/{provider}',
        tag: 'authorities',
        summary: 'Name a verification service provider',
        description:
          'It may upload panels for the supplier from now on, within the authority of the supplier. For the nominated contact and administrators.',
        access: ['supplier'],
        params: Type.Object({ account: Uuid, provider: Uuid }),
        answers: { 204: { description: 'It is named.' } },
        refusals: ['resource_not_found', 'account_changed', 'administrator_needed'],
      },
      async ({ params }, identity) => {
        const own = administeredAccount(identity, params.account);
        if (isRefusal(own)) return own;
        const account = await accounts.change(own.id, nameProvider(params.provider), actorOf(identity));
        return isRefusal(account) ? account : { status: 204 };
      },
    ),
    guarded(
      {
        id: 'withdrawProvider',
        method: 'DELETE',
        path: '/v1/accounts/{account}/verification-providers/{provider}',
        tag: 'authorities',
        summary: 'Withdraw from a verification service provider',
        description: 'It may upload nothing more for the supplier; what it uploaded stands.',
        access: ['supplier'],
        params: Type.Object({ account: Uuid, provider: Uuid }),
        answers: { 204: { description: 'It is not named any more.' } },
        refusals: ['resource_not_found', 'account_changed', 'administrator_needed'],
      },
      async ({ params }, identity) => {
        const own = administeredAccount(identity, params.account);
        if (isRefusal(own)) return own;
        const account = await accounts.change(own.id, withdrawProvider(params.provider), actorOf(identity));
        return isRefusal(account) ? account : { status: 204 };
      },
    ),
  ];
}
