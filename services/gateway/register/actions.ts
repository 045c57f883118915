import { type Refusal, refuse } from '#gateway/refusal.ts';
import { sydneyDay } from '#shared/domain/days.ts';

/** Something that was done to certificates. */
export interface ActionRow {
  readonly decision: string;
  readonly acted_at: number;
  readonly accreditation_code: string;
  readonly certificate_year: number;
  readonly first_number: number;
  readonly last_number: number;
  readonly certificate_status: string;
  /** Of the claimant. */
  readonly account: string;
  readonly unit_kind: string;
  readonly state: string;
}

export interface ActionPorts {
  actions(day: string): Promise<readonly ActionRow[]>;
  accountName(account: string): string;
  readonly now: () => number;
}

/** CERT-6; the last one is ours: the public register does not say what becomes of withdrawn certificates. */
const actionTypes: Readonly<Record<string, string>> = {
  approved: 'STC created',
  audit_passed: 'STC audit passed',
  audit_failed: 'STC audit failed',
  registered: 'STC registered',
  withdrawn: 'STC withdrawn',
};

/** How long after a day's end it is shown: what was decided in its last minutes is in the ledger by then. */
export const settlingMs = 3_600_000;

/** The actions of one Sydney day, in the field names of the public register (PUB-1, PUB-2), once the day is over. */
export async function registerOfDay(
  ports: ActionPorts,
  date: string,
): Promise<{ actions: object[] } | Refusal> {
  const now = ports.now();
  if (date >= sydneyDay(now - settlingMs))
    return refuse('register_day_not_over', `in Sydney it is ${sydneyDay(now)}`);
  const rows = await ports.actions(date);
  return { actions: rows.map((row) => actionView(row, ports.accountName(row.account))) };
}

function actionView(row: ActionRow, ownerAccount: string): object {
  return {
    actionType: actionTypes[row.decision] ?? row.decision,
    completedTime: new Date(row.acted_at).toISOString(),
    certificateRanges: [
      {
        certificateType: 'STC',
        registeredPersonNumber: row.account,
        accreditationCode: row.accreditation_code,
        generationYear: row.certificate_year,
        generationState: row.state,
        startSerialNumber: row.first_number,
        endSerialNumber: row.last_number,
        fuelSource: row.unit_kind,
        ownerAccount,
        ownerAccountId: row.account,
        status: row.certificate_status,
      },
    ],
  };
}
