import Type from 'typebox';
import type { Refusal } from '#gateway/refusal.ts';
import { requestReason } from '#shared/domain/reasons.ts';

/** RFC 9457, out of the catalogue of reasons. */
export const problemType = 'application/problem+json';

export const Problem = Type.Object({
  type: Type.String({ description: 'address of the reason in the catalogue of reasons' }),
  title: Type.String({ description: 'what is wrong, in one sentence' }),
  status: Type.Integer(),
  code: Type.String({ description: 'reason code' }),
  detail: Type.Optional(Type.String({ description: 'what of this request is wrong' })),
  hint: Type.String({ description: 'what to do' }),
  correlation: Type.String({ description: 'names this request in our logs' }),
});

/** The problem document of a refusal; its facts stand beside the standard members. */
export function problemOf(
  refusal: Refusal,
  correlation: string,
): Record<string, unknown> & { status: number } {
  const { code, status, sentence, hint } = requestReason(refusal.refused);
  return {
    ...refusal.facts,
    type: `/v1/reasons#${code}`,
    title: sentence,
    status,
    code,
    ...(refusal.detail === undefined ? {} : { detail: refusal.detail }),
    hint,
    correlation,
  };
}
