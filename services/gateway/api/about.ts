import Type from 'typebox';
import { type Endpoint, open } from '#gateway/http/operation.ts';
import { reasonKinds, reasons } from '#shared/domain/reasons.ts';
import { json } from './common.ts';

/** What anybody may know: the catalogue of reasons. */
export function aboutEndpoints(): readonly Endpoint[] {
  return [
    open(
      {
        id: 'getReasons',
        method: 'GET',
        path: '/v1/reasons',
        tag: 'about',
        summary: 'The catalogue of reasons',
        access: 'public',
        answers: {
          200: {
            description: 'Every reason code with what it says and what to do.',
            content: json(
              Type.Object(
                {
                  reasons: Type.Array(
                    Type.Object(
                      {
                        code: Type.String(),
                        kind: Type.Enum([...reasonKinds]),
                        status: Type.Optional(Type.Integer()),
                        sentence: Type.String(),
                        hint: Type.String(),
                      },
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
      async () => ({ status: 200, body: { reasons } }),
    ),
  ];
}
