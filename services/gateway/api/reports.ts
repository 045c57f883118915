import Type from 'typebox';
import { type Endpoint, guarded } from '#gateway/http/operation.ts';
import type { SilentHolders } from '#gateway/ledger/holders.ts';
import type { Product } from '#shared/domain/serials.ts';
import { json } from './common.ts';

export interface ReportApi {
  silentHolders(product: Product): Promise<SilentHolders>;
}

/** What the regulator wants to know of the ledger as a whole. */
export function reportEndpoints(api: ReportApi): readonly Endpoint[] {
  return [
    guarded(
      {
        id: 'listSilentHolders',
        method: 'GET',
        path: '/v1/reports/silent-holders',
        tag: 'reports',
        summary: 'Listed holders without a serial in the ledger',
        description:
          'Those on the newest approved list of the product for whom no serial was ever registered.',
        access: ['regulator'],
        query: Type.Object(
          { product: Type.Optional(Type.Enum(['panel', 'inverter', 'battery'])) },
          { additionalProperties: false },
        ),
        answers: {
          200: {
            description: 'The holders, in the order of their names.',
            content: json(
              Type.Object(
                {
                  snapshot: Type.String({ description: 'the list; empty when there is none' }),
                  holders: Type.Array(
                    Type.Object(
                      { holder: Type.String(), models: Type.Integer({ description: 'on the list' }) },
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
      async ({ query }) => ({ status: 200, body: await api.silentHolders(query.product ?? 'panel') }),
    ),
  ];
}
