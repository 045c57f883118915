import type { Identity } from '#gateway/accounts/book.ts';
import type { UploadIntent, UploadPermit } from '#gateway/accounts/upload.ts';
import type { Catalogue } from '#gateway/changes/catalogue.ts';
import { Turns } from '#gateway/load/turns.ts';
import { isRefusal, type Refusal, refuse } from '#gateway/refusal.ts';
import { OperationalError } from '#shared/base/errors.ts';
import { sydneyDay } from '#shared/domain/days.ts';
import type { ListIndex } from '#shared/domain/listing/list-index.ts';
import type { Channel, Product } from '#shared/domain/serials.ts';
import type { CollectOptions, Contents } from './collect.ts';
import type { SubmissionDesk } from './desk.ts';
import type { DocumentKind } from './documents.ts';
import { gatewayFindings, listFindings, type RowFinding, repeatedFindings } from './findings.ts';
import type { Sender } from './rows.ts';
import type { Accepted } from './submission.ts';

export interface IntakeOptions {
  /** Asked before anything of an upload is read. */
  permit(identity: Identity, intent: UploadIntent): UploadPermit | Refusal;
  /** Asked where nothing is stored. */
  permitCheck(identity: Identity, product: Product): Sender | Refusal;
  /** Asked once the rows are counted, before anything is stored. */
  rowsAllowed?(account: string, rows: number): Refusal | undefined;
  readonly desk: Pick<SubmissionDesk, 'accept'>;
  readonly partitions: number;
  readonly damageShareMax: number;
  /** What changes are called. */
  readonly catalogue: Catalogue;
  /** The approved list of a product; undefined when none was imported. Throws when the ledger does not answer. */
  readonly list: (product: Product) => Promise<ListIndex | undefined>;
  readonly now: () => number;
}

/** Rows that somebody sends, in whatever form. */
export interface Sent<C extends Contents = Contents> {
  readonly channel: Channel;
  readonly document: DocumentKind;
  readonly fileName: string;
  readonly body: Buffer;
  readonly rowsMax: number;
  /** Version of the text that is declared with it, if one is. */
  readonly declaration?: string;
  readonly idempotencyKey?: string;
  /** `reject`: all rows, or none if any of them has a fault that can be seen before it is stored. */
  readonly onError: 'proceed' | 'reject';
  read(options: CollectOptions): C | Refusal | Promise<C | Refusal>;
}

/** What a check found: `lists` says whether the approved list was asked; changes have no need of it. */
export interface Checked<C extends Contents> {
  readonly contents: C;
  readonly lists: 'checked' | 'not_checked' | 'not_needed';
  readonly findings: readonly RowFinding[];
}

/**
 * The one door for files and JSON: may the account upload, for whom, what is read of it and by which limits; then the desk.
 */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #turns: Turns;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#turns = new Turns(() => performance.now());
  }

  /** Takes all rows, faulty ones as outcomes of their own; or nothing. */
  async take<C extends Contents>(
    sent: Sent<C>,
    identity: Identity,
  ): Promise<(Accepted & { contents(): Promise<C | Refusal> }) | Refusal> {
    const { document, channel, declaration } = sent;
    const permit = this.#options.permit(identity, {
      product: document.product,
      channel,
      ...(declaration === undefined ? {} : { declaration }),
    });
    if (isRefusal(permit)) return permit;
    const read = this.#reading(sent, permit.sender);
    const accepted = await this.#options.desk.accept({
      account: identity.account,
      document,
      channel,
      declaration: permit.declaration,
      declaredBy: permit.declaredBy,
      fileName: sent.fileName,
      body: sent.body,
      ...(sent.idempotencyKey === undefined ? {} : { idempotencyKey: sent.idempotencyKey }),
      read: this.#allowed(
        identity,
        sent.onError === 'reject' ? () => this.#allOrNothing(document, read) : read,
      ),
    });
    // A repetition is accepted without its rows having been read.
    return isRefusal(accepted) ? accepted : { ...accepted, contents: read };
  }

  /** Finds what there is to find before rows are stored, and stores nothing. */
  async check<C extends Contents>(sent: Sent<C>, identity: Identity): Promise<Checked<C> | Refusal> {
    const sender = this.#options.permitCheck(identity, sent.document.product);
    const contents = isRefusal(sender) ? sender : await this.#reading(sent, sender)();
    if (isRefusal(contents)) return contents;
    const { records } = contents;
    const needed = asksList(sent.document);
    const list = needed ? await this.#listIfThere(sent.document.product) : undefined;
    const findings = [
      ...gatewayFindings(records, sent.document),
      ...(list ? await this.#listFindings(contents, sent.document, list) : []),
      ...repeatedFindings(records, sent.document),
    ].sort((a, b) => a.record - b.record);
    return { contents, lists: !needed ? 'not_needed' : list ? 'checked' : 'not_checked', findings };
  }

  /** Reads at most once, however often it is asked. */
  #reading<C extends Contents>(sent: Sent<C>, sender: Sender): () => Promise<C | Refusal> {
    const { partitions, damageShareMax, catalogue } = this.#options;
    const { rowsMax } = sent;
    let reading: Promise<C | Refusal> | undefined;
    return () => {
      reading ??= (async () => {
        const pause = this.#turns.of(sent.body.length);
        return sent.read({ partitions, damageShareMax, catalogue, rowsMax, sender, pause });
      })();
      return reading;
    };
  }

  #allowed<C extends Contents>(
    { account }: Identity,
    read: () => Promise<C | Refusal>,
  ): () => Promise<C | Refusal> {
    return async () => {
      const contents = await read();
      if (isRefusal(contents)) return contents;
      return this.#options.rowsAllowed?.(account.id, contents.rows) ?? contents;
    };
  }

  async #allOrNothing<C extends Contents>(
    document: DocumentKind,
    read: () => Promise<C | Refusal>,
  ): Promise<C | Refusal> {
    const contents = await read();
    if (isRefusal(contents)) return contents;
    const refused = [
      ...gatewayFindings(contents.records, document),
      ...(asksList(document)
        ? await this.#listFindings(contents, document, await this.#listOrNothing(document.product))
        : []),
    ]
      .filter(({ effect }) => effect === 'refused')
      .sort((a, b) => a.record - b.record);
    if (refused.length === 0) return contents;
    return refuse('rows_faulty', `${refused.length} of ${contents.rows} rows have faults`, {
      count: contents.rows,
      faulty: refused.length,
      rows: refused,
    });
  }

  #listFindings(contents: Contents, document: DocumentKind, list: ListIndex): Promise<readonly RowFinding[]> {
    return listFindings(contents, document, list, sydneyDay(this.#options.now()));
  }

  /** Whoever asked for all or nothing is not given a part because nobody could look. */
  async #listOrNothing(product: Product): Promise<ListIndex> {
    const list = await this.#options.list(product);
    if (list) return list;
    const message = `no approved list of kind ${product} was imported`;
    throw new OperationalError('lists_missing', message, { retryable: true });
  }

  async #listIfThere(product: Product): Promise<ListIndex | undefined> {
    try {
      return await this.#options.list(product);
    } catch (error) {
      if (error instanceof OperationalError && error.retryable) return undefined;
      throw error;
    }
  }
}

/** Only what is registered must be on the approved list: a wrong model is marked as invalid by its wrong name. */
function asksList({ action }: DocumentKind): boolean {
  return action === 'register';
}
