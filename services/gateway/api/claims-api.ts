import type { Accounts } from '#gateway/accounts/accounts.ts';
import type { Identity } from '#gateway/accounts/book.ts';
import { ClaimCommands } from '#gateway/claims/commands.ts';
import { ClaimDesk } from '#gateway/claims/desk.ts';
import { claimPage } from '#gateway/claims/list.ts';
import { claimView, historyView, visibleClaim } from '#gateway/claims/state.ts';
import { explainSerial, type Reader } from '#gateway/explanation/explain.ts';
import type { Endpoint } from '#gateway/http/operation.ts';
import {
  certificateActions,
  claimOfCertificate,
  claimsOfUnit,
  equipmentOf,
} from '#gateway/ledger/certificates.ts';
import { claimFacts, claimRows, listClaims } from '#gateway/ledger/claims.ts';
import { claimsNaming, rowsOfSerial, submissionsOf } from '#gateway/ledger/explanation.ts';
import { unknownSerials } from '#gateway/ledger/reports.ts';
import {
  conflictOf,
  hasRuling,
  listConflicts,
  listRulings,
  rulingsBeginningWith,
  rulingsOnSerials,
} from '#gateway/ledger/rulings.ts';
import type { LookupAnswer } from '#gateway/lookup/lookup.ts';
import { claimPorts, pause, rulingPublisher } from '#gateway/ports.ts';
import { refuse } from '#gateway/refusal.ts';
import { registerOfDay } from '#gateway/register/actions.ts';
import { certificateView, unitView } from '#gateway/register/certificates.ts';
import { conflictPage } from '#gateway/rulings/conflicts.ts';
import { RulingDesk } from '#gateway/rulings/desk.ts';
import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import type { Publisher } from '#shared/adapters/kafka/publisher.ts';
import type { Codec } from '#shared/codec/codec.ts';
import type { Product } from '#shared/domain/serials.ts';
import { claimOrderEndpoints } from './claim-orders.ts';
import { claimEndpoints } from './claims.ts';
import { explanationEndpoints } from './explanation.ts';
import { registerEndpoints } from './register.ts';
import { rulingEndpoints } from './rulings.ts';

export interface ClaimsApiOptions {
  readonly accounts: Accounts;
  readonly clickhouse: Clickhouse;
  readonly codec: Codec;
  readonly publisher: Publisher;
  readonly partitions: number;
  readonly bodyBytesMax: number;
  /** Requests of one address in a minute for what is open to everybody. */
  readonly perMinuteMax: number;
  /** Jumps ahead when the process ends, so that nobody goes on waiting. */
  readonly now: () => number;
  readerOf(viewer: Identity): Reader;
  lookUp(product: Product, serials: readonly string[], viewer: Identity): Promise<readonly LookupAnswer[]>;
}

const dayMs = 86_400_000;

/** Claims, certificates, and what the regulator does with them, on the real engines. */
export function claimsApi(options: ClaimsApiOptions): readonly Endpoint[] {
  const { accounts, clickhouse, publisher, codec, now } = options;
  const ports = claimPorts({ publisher, codec }, clickhouse, options.partitions);
  const desk = new ClaimDesk(ports);
  const reads = {
    rows: (claim: string) => claimRows(clickhouse, claim),
    published: (claim: string) => desk.published(claim),
    now,
    pause,
  };
  const commands = new ClaimCommands({
    ...reads,
    now: Date.now,
    publish: ports.publish,
    facts: (claim, event) => claimFacts(clickhouse, claim, event),
  });
  const accountName = (account: string) => accounts.get(account)?.name ?? '';
  const certificates = {
    claims: reads,
    claimOf: (place: Parameters<typeof claimOfCertificate>[1]) => claimOfCertificate(clickhouse, place),
    claimsOfUnit: (code: string) => claimsOfUnit(clickhouse, code),
    equipment: (claim: string, event: string) => equipmentOf(clickhouse, claim, event),
  };
  const rulings = new RulingDesk({
    publish: rulingPublisher({ publisher, codec }),
    inLedger: (ruling) => hasRuling(clickhouse, ruling),
    beginningWith: (beginning) => rulingsBeginningWith(clickhouse, beginning),
    conflict: (of) => conflictOf(clickhouse, of),
    clock: Date.now,
    now,
    pause,
  });

  return [
    ...claimEndpoints({
      desk,
      bodyBytesMax: options.bodyBytesMax,
      async state(claim, viewer, waitMs) {
        const known = await visibleClaim(reads, claim, viewer, waitMs);
        return known && claimView(known, viewer);
      },
      async history(claim, viewer, wait) {
        const known = await visibleClaim(
          reads,
          claim,
          viewer,
          wait.ms,
          (rows) => wait.event === '' || rows.some(({ event }) => event === wait.event),
        );
        return known && historyView(known, viewer);
      },
      list: (question, viewer) =>
        claimPage({ list: (filter) => listClaims(clickhouse, filter), now: Date.now }, question, viewer),
    }),
    ...claimOrderEndpoints(commands),
    ...registerEndpoints({
      perMinuteMax: options.perMinuteMax,
      async actions(date) {
        // The owners' names are in the log of accounts.
        if (!accounts.ready) return refuse('not_ready');
        const actions = (day: string) => certificateActions(clickhouse, day);
        return registerOfDay({ actions, accountName, now: Date.now }, date);
      },
      certificate: (place, viewer) => certificateView(certificates, place, viewer),
      unit: (code, viewer) => unitView(certificates, code, viewer),
      agents: () => (accounts.ready ? accounts.agents() : refuse('not_ready')),
    }),
    ...rulingEndpoints({
      rule: (order, identity, key) => rulings.rule(order, identity, key),
      async rulings(page) {
        const rows = await listRulings(clickhouse, page);
        return rows.map(({ holder_key: _, model_key: __, serial_key: ___, ...ruling }) => ruling);
      },
      conflicts: (question) =>
        conflictPage(
          {
            conflicts: (page) => listConflicts(clickhouse, page),
            rulings: (keys) => rulingsOnSerials(clickhouse, keys),
            accountName,
          },
          question,
        ),
      async unknownSerials(sinceDays) {
        const rows = await unknownSerials(clickhouse, Date.now() - sinceDays * dayMs);
        return rows.map((row) => ({ ...row, account_name: accountName(row.account) }));
      },
    }),
    ...explanationEndpoints({
      async explain(product, serial, viewer) {
        const [answer] = await options.lookUp(product as Product, [serial], viewer);
        const explanation = await explainSerial(
          {
            rows: (of, key) => rowsOfSerial(clickhouse, of, key),
            submissions: (ids) => submissionsOf(clickhouse, ids),
            claimsNaming: (of, key) => claimsNaming(clickhouse, of, key),
            claimRows: reads.rows,
            rulings: (key) => rulingsOnSerials(clickhouse, [key]),
            accountName,
          },
          { product, serial, reader: options.readerOf(viewer) },
        );
        return { ...explanation, state: answer!.state };
      },
    }),
  ];
}
