import Type from 'typebox';
import { memberKinds, pendingApplication } from '#gateway/accounts/account.ts';
import { actorOf } from '#gateway/accounts/actor.ts';
import { applicationFindings } from '#gateway/accounts/application-findings.ts';
import {
  applicationOf,
  assessApplication,
  lodgeApplication,
} from '#gateway/accounts/commands/applications.ts';
import { type Endpoint, guarded } from '#gateway/http/operation.ts';
import { isRefusal } from '#gateway/refusal.ts';
import { Abn, ApplicationView, applicationView, Contact } from './account-views.ts';
import type { AccountApi } from './accounts.ts';
import { json, Name, Uuid } from './common.ts';
import { KeyedHeaders, markOf } from './keyed.ts';
import { administeredAccount } from './standing.ts';

const bodyBytesMax = 64 * 1024;

const Findings = Type.Array(
  Type.Object(
    { code: Type.String({ description: 'reason code' }), detail: Type.String() },
    { additionalProperties: false },
  ),
);

/** Applications for kinds of account: lodged by members, assessed by the regulator (A3 to A7). */
export function applicationEndpoints({ accounts, detailsDaysMax }: AccountApi): readonly Endpoint[] {
  return [
    guarded(
      {
        id: 'lodgeApplication',
        method: 'POST',
        path: '/v1/accounts/{account}/applications',
        tag: 'applications',
        summary: 'Upgrade the account: apply for what it is to do',
        description:
          'For the nominated contact and administrators. `general` is always among the kinds. Until the application is assessed the account can do what it could before.',
        access: ['general'],
        params: Type.Object({ account: Uuid }),
        headers: KeyedHeaders,
        body: {
          kind: 'json',
          bytesMax: bodyBytesMax,
          schema: Type.Object(
            {
              kinds: Type.Array(Type.Enum([...memberKinds]), { minItems: 1, uniqueItems: true }),
              legal_name: Name,
              abn: Abn,
              contact: Contact,
            },
            { additionalProperties: false },
          ),
          example: {
            kinds: ['general', 'vsp'],
            legal_name: 'Panelcheck Verification Services Pty Ltd',
            abn: '51 824 753 556',
            contact: { name: 'Ann Example', email: 'ann@example.org', phone: '02 5550 0000' },
          },
        },
        answers: { 201: { description: 'The application.', content: json(ApplicationView) } },
        refusals: [
          'resource_not_found',
          'account_changed',
          'administrator_needed',
          'general_account_missing',
          'abn_invalid',
          'kinds_held',
          'application_open',
          'cec_details_incomplete',
        ],
      },
      async (call, identity) => {
        const { params, body } = call;
        const own = administeredAccount(identity, params.account);
        if (isRefusal(own)) return own;
        const { kinds, legal_name: legalName, abn, contact } = body;
        const command = lodgeApplication({ kinds, legalName, abn, contact }, detailsDaysMax);
        const mark = markOf('lodgeApplication', call, identity);
        const account = await accounts.change(own.id, command, actorOf(identity), mark);
        if (isRefusal(account)) return account;
        return { status: 201, body: applicationView(account.applications.at(-1)!) };
      },
    ),
    guarded(
      {
        id: 'listApplications',
        method: 'GET',
        path: '/v1/applications',
        tag: 'applications',
        summary: 'Applications that wait for their assessment',
        description: 'With what the assessor should look at in each.',
        access: ['regulator'],
        answers: {
          200: {
            description: 'The applications, the oldest first.',
            content: json(
              Type.Object(
                {
                  applications: Type.Array(
                    Type.Object(
                      { account: Uuid, account_name: Name, application: ApplicationView, findings: Findings },
                      { additionalProperties: false },
                    ),
                  ),
                },
                { additionalProperties: false },
              ),
            ),
          },
        },
        refusals: [],
      },
      async () => {
        const options = { now: accounts.now(), detailsDaysMax };
        const pending = [...accounts.book.accounts()].flatMap((account) => {
          const application = pendingApplication(account);
          return application ? [{ account, application }] : [];
        });
        const applications = pending
          .toSorted((a, b) => a.application.lodgedAt - b.application.lodgedAt)
          .map(({ account, application }) => ({
            account: account.id,
            account_name: account.name,
            application: applicationView(application),
            findings: applicationFindings(account, application, accounts.book, options),
          }));
        return { status: 200, body: { applications } };
      },
    ),
    guarded(
      {
        id: 'assessApplication',
        method: 'POST',
        path: '/v1/accounts/{account}/applications/{application}/assessment',
        tag: 'applications',
        summary: 'Approve or refuse an application',
        access: ['regulator'],
        params: Type.Object({ account: Uuid, application: Uuid }),
        headers: KeyedHeaders,
        body: {
          kind: 'json',
          bytesMax: bodyBytesMax,
          schema: Type.Object(
            {
              decision: Type.Enum(['approved', 'refused']),
              reason: Type.Optional(Type.String({ maxLength: 2_000, description: 'of a refusal' })),
            },
            { additionalProperties: false },
          ),
          example: { decision: 'approved' },
        },
        answers: { 200: { description: 'The application, assessed.', content: json(ApplicationView) } },
        refusals: ['resource_not_found', 'account_changed', 'application_assessed', 'refusal_without_reason'],
      },
      async (call, identity) => {
        const { params, body } = call;
        const command = assessApplication(params.application, body.decision, body.reason ?? '');
        const mark = markOf('assessApplication', call, identity);
        const account = await accounts.change(params.account, command, actorOf(identity), mark);
        if (isRefusal(account)) return account;
        return { status: 200, body: applicationView(applicationOf(account, params.application)!) };
      },
    ),
  ];
}
