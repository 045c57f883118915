import Type from 'typebox';
import type { Catalogue, ChangeReason } from '#gateway/changes/catalogue.ts';
import { type Endpoint, open } from '#gateway/http/operation.ts';
import { reasonKinds, reasons } from '#shared/domain/reasons.ts';
import { json } from './common.ts';

const strict = { additionalProperties: false } as const;
const ChangeReasons = (description: string) =>
  Type.Array(
    Type.Object(
      {
        id: Type.String(),
        label: Type.String(),
        needs_note: Type.Boolean({ description: 'it is taken only with a note' }),
      },
      strict,
    ),
    { description },
  );

const CataloguesView = Type.Object(
  {
    source: Type.String({ description: 'whose lists these are' }),
    invalidation_reasons: ChangeReasons('for marking serials as invalid'),
    status_reasons: ChangeReasons('for changes of status'),
    statuses: Type.Array(
      Type.Object(
        {
          id: Type.String(),
          label: Type.String(),
          reasons: Type.Array(Type.String(), { description: 'ids of the reasons that go with it' }),
        },
        strict,
      ),
      { description: 'of inverters and batteries' },
    ),
  },
  strict,
);

/** What anybody may know: the catalogue of reasons, and what changes are called. */
export function aboutEndpoints(catalogue: Catalogue): readonly Endpoint[] {
  const catalogues = cataloguesView(catalogue);
  return [
    open(
      {
        id: 'getCatalogues',
        method: 'GET',
        path: '/v1/catalogues',
        tag: 'about',
        summary: 'Reasons for marking as invalid, and statuses with their reasons',
        access: 'public',
        answers: { 200: { description: 'The catalogues.', content: json(CataloguesView) } },
        refusals: [],
      },
      async () => ({ status: 200, body: catalogues }),
    ),
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

function cataloguesView({ source, invalidationReasons, statusReasons, statuses }: Catalogue): object {
  const reasonView = ({ id, label, needsNote }: ChangeReason) => ({ id, label, needs_note: needsNote });
  return {
    source,
    invalidation_reasons: invalidationReasons.map(reasonView),
    status_reasons: statusReasons.map(reasonView),
    statuses: statuses.map(({ id, label, reasons }) => ({ id, label, reasons: reasons.map(({ id }) => id) })),
  };
}
