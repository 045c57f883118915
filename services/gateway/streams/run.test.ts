import { describe, expect, it } from 'vitest';
import { ClientGone } from '#gateway/http/body-bytes.ts';
import { isRefusal, type Refusal, RefusedError, refuse } from '#gateway/refusal.ts';
import { panelRegistration } from '#gateway/submissions/documents.ts';
import type { KnownPart } from '#gateway/submissions/recent.ts';
import type { Submission } from '#gateway/submissions/submission.ts';
import { OperationalError } from '#shared/base/errors.ts';
import { csvParts } from './csv-parts.ts';
import type { Part } from './parts.ts';
import { type PartTold, type StreamPorts, type StreamRequest, StreamRun, streamIdOf } from './run.ts';

const headings = 'Supplier name,Licensee/Certificate holder,Model number,Serial number\n';
const sender = { supplier: 'A', mayUploadFor: () => true };

/** The parts of a stream of good rows, ten each, and how many were asked for. */
class Source {
  asked = 0;
  readonly #text: string;
  readonly #fromRow: number;

  constructor(rows: number, fromRow = 1, changed = 0) {
    const lines = Array.from({ length: rows - fromRow + 1 }, (_, i) => {
      const row = fromRow + i;
      return `A,H,M,S${row === changed ? 'X' : ''}${row}\n`;
    });
    this.#text = headings + lines.join('');
    this.#fromRow = fromRow;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Part | Refusal> {
    const text = this.#text;
    const bytes = (async function* () {
      yield Buffer.from(text);
    })();
    const collecting = () => ({ partitions: 6, sender });
    const options = { document: panelRegistration, fromRow: this.#fromRow, collecting, rowsMax: 10 };
    for await (const part of csvParts(bytes, options)) {
      this.asked += 1;
      yield part;
    }
  }
}

interface Given {
  readonly ports?: Partial<StreamPorts>;
  readonly write?: (submission: Submission) => Promise<void>;
  readonly request?: Partial<StreamRequest>;
}

function runOf(options: Given = {}) {
  const written: Submission[] = [];
  const told: PartTold[] = [];
  const ended: Refusal[] = [];
  const failures: unknown[] = [];
  const request: StreamRequest = {
    id: streamIdOf('account-1', 'key-1'),
    account: { id: 'account-1', name: 'Acme' },
    key: 'key-1',
    document: panelRegistration,
    channel: 'stream',
    mediaType: 'text/csv',
    fileName: '',
    fromRow: 1,
    committedRow: 0,
    ...options.request,
  };
  const ports: StreamPorts = {
    permit: () => ({ sender, declaration: 'api-users-1', declaredBy: 'user:u' }),
    known: async () => [],
    rowsAllowed: async () => undefined,
    encode: async (submission) => async () => {
      if (options.write) await options.write(submission);
      else written.push(submission);
    },
    failed: (error) => failures.push(error),
    now: () => 1,
    ...options.ports,
  };
  const run = new StreamRun(
    request,
    ports,
    (part) => {
      told.push(part);
    },
    (refusal) => ended.push(refusal),
  );
  return { run, written, told, ended, failures };
}

const late = () => new OperationalError('not_written_in_time', 'late', { retryable: true });
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a stream', () => {
  it('is committed part by part, in order, and each is told once it is', async () => {
    const { run, written, told } = runOf();
    const result = await run.run(new Source(25));
    expect(result).toMatchObject({ rows: 25, submissions: 3, repeated: 0, committedRow: 25 });
    expect(result.refusal).toBeUndefined();
    expect(written.map(({ stream, rows, channel }) => [stream?.firstRow, rows, channel])).toEqual([
      [1, 10, 'stream'],
      [11, 10, 'stream'],
      [21, 5, 'stream'],
    ]);
    expect(told.map(({ id, committedRow }) => [id, committedRow])).toEqual(
      written.map(({ id }, i) => [id, [10, 20, 25][i]]),
    );
  });

  it('is read no further than one part beyond the one that is being written', async () => {
    const gates: (() => void)[] = [];
    const source = new Source(200);
    const { run, told } = runOf({ write: () => new Promise((resolve) => gates.push(resolve)) });
    const result = run.run(source);
    for (let part = 1; part <= 20; part++) {
      while (gates.length < part) await turn();
      for (let i = 0; i < 20; i++) await turn();
      expect(source.asked).toBeLessThanOrEqual(part + 1);
      expect(told).toHaveLength(part - 1);
      gates[part - 1]!();
    }
    expect(await result).toMatchObject({ rows: 200, submissions: 20 });
  });

  it('sent again, by whatever way, gives the same submissions', async () => {
    const [whole, again, resumed] = [runOf(), runOf(), runOf({ request: { fromRow: 11, committedRow: 10 } })];
    await whole.run.run(new Source(25));
    await again.run.run(new Source(25));
    await resumed.run.run(new Source(25, 11));
    const shape = ({ id, bodySha256, batches, stream }: Submission) => ({ id, bodySha256, batches, stream });
    expect(again.written.map(shape)).toEqual(whole.written.map(shape));
    expect(resumed.written.map(shape)).toEqual(whole.written.slice(1).map(shape));
  });

  it('with another key, of another account, or with other rows is other submissions', async () => {
    const ids = async (request: Partial<StreamRequest>, source = new Source(10)) => {
      const { run, written } = runOf({ request });
      await run.run(source);
      return written[0]!.id;
    };
    const all = [
      await ids({}),
      await ids({ id: streamIdOf('account-1', 'key-2') }),
      await ids({ id: streamIdOf('account-2', 'key-1') }),
      await ids({}, new Source(10, 1, 3)),
    ];
    expect(new Set(all).size).toBe(all.length);
  });
});

describe('what was committed before', () => {
  async function committed(rows: number): Promise<(firstRow: number) => Promise<readonly KnownPart[]>> {
    const { run, written } = runOf();
    await run.run(new Source(rows));
    return async (firstRow) =>
      written
        .filter(({ stream }) => stream?.firstRow === firstRow)
        .map(({ id, rows: count, bodySha256 }) => ({ submission: id, firstRow, rows: count, bodySha256 }));
  }

  it('is told again and not written', async () => {
    const known = await committed(20);
    const { run, written, told } = runOf({ ports: { known }, request: { committedRow: 20 } });
    expect(await run.run(new Source(25))).toMatchObject({
      rows: 25,
      submissions: 3,
      repeated: 2,
      committedRow: 25,
    });
    expect(told.map(({ repeated }) => repeated)).toEqual([true, true, false]);
    expect(written.map(({ stream }) => stream?.firstRow)).toEqual([21]);
  });

  it.each([
    ['other rows', new Source(25, 1, 13), 11],
    ['more rows behind its end', new Source(35), 21],
  ])('is not taken with %s', async (_, source, row) => {
    const known = await committed(25);
    const { run, written } = runOf({ ports: { known }, request: { committedRow: 25 } });
    expect(await run.run(source)).toMatchObject({
      refusal: { refused: 'idempotency_key_reused', facts: { row } },
      committedRow: 25,
    });
    expect(written).toEqual([]);
  });

  it('but is not known here is written again: its first copy counts', async () => {
    const { run, written } = runOf({ request: { committedRow: 25 } });
    expect(await run.run(new Source(25))).toMatchObject({ rows: 25, repeated: 0 });
    expect(written).toHaveLength(3);
  });
});

describe('the end of a stream', () => {
  const failing = (times: number, error: unknown) => {
    let failures = 0;
    return async (): Promise<void> => {
      if (failures++ < times) throw error;
    };
  };

  it('comes not with an error that passes: the same is written again', async () => {
    const ids: string[] = [];
    const fail = failing(2, late());
    const write = async ({ id }: Submission) => {
      ids.push(id);
      await fail();
    };
    expect(await runOf({ write }).run.run(new Source(10))).toMatchObject({ rows: 10 });
    expect(new Set(ids).size).toBe(1);
    expect(ids).toHaveLength(3);
  });

  it.each([
    ['temporarily_unavailable', late()],
    ['internal_error', new Error('our bug')],
  ])('says where it can go on: %s', async (code, error) => {
    const written: Submission[] = [];
    const fail = failing(99, error);
    const write = async (submission: Submission) => {
      if (submission.stream!.firstRow > 10) await fail();
      written.push(submission);
    };
    const { run, ended, failures } = runOf({ write });
    expect(await run.run(new Source(45))).toMatchObject({
      refusal: { refused: code },
      rows: 10,
      committedRow: 10,
    });
    expect(written).toHaveLength(1);
    // Whoever is still reading is told at once.
    expect(ended).toMatchObject([{ refused: code }]);
    expect(failures).toEqual([error]);
  });

  it('comes when the account may not upload any more', async () => {
    let asked = 0;
    const permit = () => {
      asked += 1;
      return asked > 2
        ? refuse('api_declaration_expired')
        : { sender, declaration: 'api-users-1', declaredBy: 'user:u' };
    };
    expect(await runOf({ ports: { permit } }).run.run(new Source(45))).toMatchObject({
      refusal: { refused: 'api_declaration_expired' },
      committedRow: 20,
    });
  });

  it('comes after a part that is damaged as a whole, which is not taken', async () => {
    const parts = async function* () {
      for await (const part of new Source(30))
        yield isRefusal(part) || part.firstRow !== 11
          ? part
          : { ...part, contents: () => refuse('file_damaged', 'so many', { limit: 0.2 }) };
    };
    expect(await runOf().run.run(parts())).toMatchObject({
      refusal: { refused: 'file_damaged', facts: { row: 11, line: 12, limit: 0.2 } },
      committedRow: 10,
    });
  });

  it('without any row is refused, unless rows came before', async () => {
    const empty = () => new Source(0);
    expect((await runOf().run.run(empty())).refusal).toMatchObject({ refused: 'file_empty' });
    const more = runOf({ request: { fromRow: 11, committedRow: 10 } });
    expect(await more.run.run(new Source(10, 11))).toMatchObject({ rows: 0, committedRow: 10 });
  });

  it.each([
    ['told to end', new RefusedError(refuse('stream_taken_over')), 'stream_taken_over'],
    ['left alone', new ClientGone('the connection broke'), undefined],
  ])('after what is complete is committed, when it is %s', async (_, error, code) => {
    const { run, written } = runOf();
    const parts = async function* () {
      for await (const part of new Source(20)) yield part;
      throw error;
    };
    const result = run.run(parts());
    if (code) expect(await result).toMatchObject({ refusal: { refused: code }, committedRow: 20 });
    else await expect(result).rejects.toBe(error);
    expect(written).toHaveLength(2);
  });
});
