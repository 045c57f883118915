import { expect, test } from 'vitest';
import { type ActionRow, registerOfDay } from './actions.ts';

const row: ActionRow = {
  decision: 'approved',
  acted_at: Date.parse('2026-04-20T02:00:00.123Z'),
  accreditation_code: 'SGUS00000001',
  certificate_year: 2026,
  first_number: 1,
  last_number: 45,
  certificate_status: 'Pending audit',
  account: 'account-1',
  unit_kind: 'solar',
  state: 'NSW',
};

function ports(now: string, rows: readonly ActionRow[] = [row]) {
  return {
    actions: async () => rows,
    accountName: (account: string) => `Name of ${account}`,
    now: () => Date.parse(now),
  };
}

test('actions have the field names of the public register (PUB-1, PUB-2)', async () => {
  expect(await registerOfDay(ports('2026-04-21T00:00:00Z'), '2026-04-20')).toEqual({
    actions: [
      {
        actionType: 'STC created',
        completedTime: '2026-04-20T02:00:00.123Z',
        certificateRanges: [
          {
            certificateType: 'STC',
            registeredPersonNumber: 'account-1',
            accreditationCode: 'SGUS00000001',
            generationYear: 2026,
            generationState: 'NSW',
            startSerialNumber: 1,
            endSerialNumber: 45,
            fuelSource: 'solar',
            ownerAccount: 'Name of account-1',
            ownerAccountId: 'account-1',
            status: 'Pending audit',
          },
        ],
      },
    ],
  });
});

test.each([
  ['audit_passed', 'STC audit passed'],
  ['audit_failed', 'STC audit failed'],
  ['registered', 'STC registered'],
  ['withdrawn', 'STC withdrawn'],
])('%s is shown as %s', async (decision, actionType) => {
  const rows = [{ ...row, decision }];
  expect(await registerOfDay(ports('2026-04-21T00:00:00Z', rows), '2026-04-20')).toMatchObject({
    actions: [{ actionType }],
  });
});

// Sydney is ten hours ahead in April: its 20 April ends at 14:00 of Greenwich.
test.each([
  ['2026-04-20T13:59:59Z', '2026-04-20', true],
  ['2026-04-20T14:59:59Z', '2026-04-20', true],
  ['2026-04-20T15:00:00Z', '2026-04-20', false],
  ['2026-04-20T15:00:00Z', '2026-04-21', true],
  ['2026-04-20T15:00:00Z', '2020-01-01', false],
])('at %s the day %s is refused: %s', async (now, date, refused) => {
  expect('refused' in (await registerOfDay(ports(now), date))).toBe(refused);
});
