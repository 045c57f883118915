import Type from 'typebox';
import type { ApiDeclaration } from '#gateway/declarations/api-users.ts';
import { Day, Time } from './common.ts';

/** B4: whether the `Declaration for API Users` is current, until when, and how many days are left. */
export const ApiDeclarationView = Type.Object(
  {
    state: Type.Enum(['none', 'current', 'expired']),
    text: Type.Optional(Type.String({ description: 'version of the declared text' })),
    declared_at: Type.Optional(Time('when it was declared')),
    declared_by: Type.Optional(Type.String({ description: '`user:` or `key:` and an id' })),
    declared_on: Type.Optional(Day('when it was declared')),
    until: Type.Optional(Day('last day on which it is current')),
    days_left: Type.Optional(
      Type.Integer({ description: '0 on the last day, negative when it has expired' }),
    ),
  },
  { additionalProperties: false },
);

export function apiDeclarationView(of: ApiDeclaration): object {
  if (of.state === 'none') return { state: of.state };
  const { state, declaration, madeOn, until, daysLeft } = of;
  return {
    state,
    text: declaration.text,
    declared_at: declaration.at,
    declared_by: declaration.by,
    declared_on: madeOn,
    until,
    days_left: daysLeft,
  };
}
