import Type from 'typebox';
import { uploaderKinds } from '#gateway/accounts/account.ts';
import { actorOf } from '#gateway/accounts/actor.ts';
import { declareForApi } from '#gateway/accounts/commands/details.ts';
import { currentText, declarationTexts, textKinds } from '#gateway/declarations/texts.ts';
import { type Endpoint, guarded, open } from '#gateway/http/operation.ts';
import { isRefusal } from '#gateway/refusal.ts';
import { sydneyDay } from '#shared/domain/days.ts';
import type { AccountApi } from './accounts.ts';
import { Day, json } from './common.ts';
import { ApiDeclarationView, apiDeclarationView } from './declaration-views.ts';
import { KeyedHeaders, markOf } from './keyed.ts';

const TextView = Type.Object(
  {
    id: Type.String({ description: 'version, to be named where it is declared' }),
    kind: Type.Enum([...textKinds]),
    from: Day('first day on which it holds'),
    current: Type.Boolean(),
    title: Type.String(),
    text: Type.String(),
  },
  { additionalProperties: false },
);

/** Texts that are declared or agreed to, and the `Declaration for API Users` of one's account. */
export function declarationEndpoints({ accounts }: AccountApi): readonly Endpoint[] {
  return [
    open(
      {
        id: 'listDeclarations',
        method: 'GET',
        path: '/v1/declarations',
        tag: 'declarations',
        summary: 'The texts that are declared or agreed to, in all their versions',
        access: 'public',
        answers: {
          200: {
            description: 'The texts; of each kind one is current.',
            content: json(
              Type.Object({ declarations: Type.Array(TextView) }, { additionalProperties: false }),
            ),
          },
        },
        refusals: [],
      },
      async () => {
        const today = sydneyDay(accounts.now());
        const current = new Set(textKinds.map((kind) => currentText(kind, today)?.id));
        const declarations = declarationTexts.map((text) => ({ ...text, current: current.has(text.id) }));
        return { status: 200, body: { declarations } };
      },
    ),
    guarded(
      {
        id: 'getApiDeclaration',
        method: 'GET',
        path: '/v1/declarations/api-users',
        tag: 'declarations',
        summary: 'Is the Declaration for API Users current, and until when?',
        access: uploaderKinds,
        answers: { 200: { description: 'The latest declaration.', content: json(ApiDeclarationView) } },
        refusals: [],
      },
      async (_, { account }) => ({
        status: 200,
        body: apiDeclarationView(accounts.apiDeclarationOf(account)),
      }),
    ),
    guarded(
      {
        id: 'declareForApi',
        method: 'POST',
        path: '/v1/declarations/api-users',
        tag: 'declarations',
        summary: 'Make the Declaration for API Users',
        description:
          'Uploads by JSON and streams need one that is current: it holds for three calendar months, its last day included.',
        access: uploaderKinds,
        headers: KeyedHeaders,
        body: {
          kind: 'json',
          bytesMax: 4 * 1024,
          schema: Type.Object(
            {
              declaration: Type.String({
                maxLength: 100,
                description: 'version of the text that is declared',
              }),
            },
            { additionalProperties: false },
          ),
          example: { declaration: 'api-users-1' },
        },
        answers: { 201: { description: 'It is made.', content: json(ApiDeclarationView) } },
        refusals: ['account_changed', 'declaration_not_current'],
      },
      async (call, identity) => {
        const command = declareForApi(call.body.declaration);
        const mark = markOf('declareForApi', call, identity);
        const account = await accounts.change(identity.account.id, command, actorOf(identity), mark);
        if (isRefusal(account)) return account;
        return { status: 201, body: apiDeclarationView(accounts.apiDeclarationOf(account)) };
      },
    ),
  ];
}
