import { expect, test } from 'vitest';
import { OperationalError } from '#shared/base/errors.ts';
import { SubmissionDesk } from './desk.ts';
import { panelRegistration } from './documents.ts';
import { readFile } from './read-file.ts';
import type { Earlier, Submission, SubmissionLog, Upload } from './submission.ts';

const heading = 'Supplier name,Licensee/Certificate holder,Model number,Serial number\n';
const file = (...serials: string[]) =>
  Buffer.from(heading + serials.map((serial) => `A,H,M,${serial}\n`).join(''));

class WrittenLog implements SubmissionLog {
  readonly written: Submission[] = [];
  failures = 0;
  gate: Promise<void> = Promise.resolve();

  async write(submission: Submission): Promise<void> {
    await this.gate;
    if (this.failures-- > 0) throw new OperationalError('not_written_in_time', 'late', { retryable: true });
    this.written.push(submission);
  }
}

function desk(
  options: { log?: WrittenLog; earlier?: (account: string, key: string) => Promise<readonly Earlier[]> } = {},
) {
  const log = options.log ?? new WrittenLog();
  const withKey = options.earlier ?? (async () => []);
  const made = new SubmissionDesk(log, { withKey }, { now: () => 1_776_000_000_000, earlierWaitMs: 50 });
  return { desk: made, log };
}

function upload(body: Buffer, more: Partial<Upload> = {}, mayUpload = true): Upload {
  const sender = { supplier: 'Acme', mayUploadFor: () => mayUpload };
  return {
    account: { id: 'account-1', name: 'Acme' },
    document: panelRegistration,
    channel: 'csv',
    fileName: 'panels.csv',
    declaration: 'file-upload-1',
    declaredBy: 'user:u',
    body,
    read: () => readFile(body, panelRegistration, { partitions: 6, sender }),
    ...more,
  };
}

const keyed = (body: Buffer, idempotencyKey = 'key-1', more: Partial<Upload> = {}) =>
  upload(body, { idempotencyKey, ...more });

function toEarlier({ id, product, action, bodySha256, rows }: Submission): Earlier {
  return { id, product, action, bodySha256, rows };
}

test('without a key every upload is a submission of its own', async () => {
  const { desk: taken, log } = desk();
  const [one, two] = [await taken.accept(upload(file('S1'))), await taken.accept(upload(file('S1')))];
  expect(one).toMatchObject({ received: 1 });
  expect(one).not.toEqual(two);
  expect(log.written).toHaveLength(2);
});

test('a repetition gets the same answer, and is not written again where it is known', async () => {
  const { desk: taken, log } = desk();
  const first = await taken.accept(keyed(file('S1', 'S2')));
  expect(await taken.accept(keyed(file('S1', 'S2')))).toEqual(first);
  expect(log.written).toHaveLength(1);
});

test('at another instance, which knows of nothing, a repetition is the same submission batch for batch', async () => {
  const [one, two] = [desk(), desk()];
  const body = file(...Array.from({ length: 1_500 }, (_, i) => `S${i}`));
  const first = await one.desk.accept(keyed(body));
  const second = await two.desk.accept(
    upload(body, { idempotencyKey: 'key-1', account: { id: 'account-1', name: 'Renamed' } }, false),
  );
  expect(second).toEqual(first);
  const shape = ({ id, bodySha256, batches }: Submission) => [
    id,
    bodySha256,
    batches.map(({ number, partition, records }) => [number, partition, records.map(({ row }) => row)]),
  ];
  expect(shape(two.log.written[0]!)).toEqual(shape(one.log.written[0]!));
});

test('at another instance, once the ledger knows it, nothing is written', async () => {
  const one = desk();
  const first = await one.desk.accept(keyed(file('S1')));
  const asked: string[][] = [];
  const two = desk({
    earlier: async (account, key) => {
      asked.push([account, key]);
      return one.log.written.map(toEarlier);
    },
  });
  expect(await two.desk.accept(keyed(file('S1')))).toEqual(first);
  expect(two.log.written).toHaveLength(0);
  expect(asked).toEqual([['account-1', 'key-1']]);
});

test('a key with another body is refused when the first is known, here or in the ledger', async () => {
  const one = desk();
  await one.desk.accept(keyed(file('S1')));
  expect(await one.desk.accept(keyed(file('S2')))).toMatchObject({ refused: 'idempotency_key_reused' });
  const two = desk({ earlier: async () => one.log.written.map(toEarlier) });
  expect(await two.desk.accept(keyed(file('S2')))).toMatchObject({ refused: 'idempotency_key_reused' });
  expect([...one.log.written, ...two.log.written]).toHaveLength(1);
});

test('another body at another instance, before either knows of the first: two submissions, and nothing is lost (A2, must survive 4)', async () => {
  const one = desk();
  const two = desk();
  const answers = await Promise.all([one.desk.accept(keyed(file('S1'))), two.desk.accept(keyed(file('S2')))]);
  expect(answers).toMatchObject([{ received: 1 }, { received: 1 }]);
  const written = [...one.log.written, ...two.log.written];
  expect(new Set(written.map(({ id }) => id)).size).toBe(2);
  const serials = written.flatMap(({ batches }) => batches.flatMap(({ records }) => records));
  expect(serials.map(({ serial }) => serial).sort()).toEqual(['S1', 'S2']);
});

test('keys belong to their account', async () => {
  const { desk: taken, log } = desk();
  await taken.accept(keyed(file('S1')));
  const other = await taken.accept(keyed(file('S2'), 'key-1', { account: { id: 'account-2', name: 'B' } }));
  expect(other).toMatchObject({ received: 1 });
  expect(log.written).toHaveLength(2);
});

test('two at once: the same body is one submission, another body waits and is refused (must survive 4)', async () => {
  const log = new WrittenLog();
  const { promise, resolve } = Promise.withResolvers<void>();
  log.gate = promise;
  const { desk: taken } = desk({ log });
  const answers = [keyed(file('S1')), keyed(file('S1')), keyed(file('S2'))].map((each) => taken.accept(each));
  resolve();
  const [first, same, other] = await Promise.all(answers);
  expect(same).toEqual(first);
  expect(other).toMatchObject({ refused: 'idempotency_key_reused' });
  expect(log.written).toHaveLength(1);
});

test('an attempt that failed or was refused leaves its key free', async () => {
  const log = new WrittenLog();
  log.failures = 1;
  const { desk: taken } = desk({ log });
  await expect(taken.accept(keyed(file('S1')))).rejects.toMatchObject({ retryable: true });
  expect(await taken.accept(keyed(Buffer.from('nonsense\n')))).toMatchObject({ refused: 'headings_missing' });
  expect(await taken.accept(keyed(file('S2')))).toMatchObject({ received: 1 });
});

test('a ledger that is silent or broken keeps nobody from uploading', async () => {
  const silent = desk({ earlier: () => new Promise(() => undefined) });
  expect(await silent.desk.accept(keyed(file('S1')))).toMatchObject({ received: 1 });
  const broken = desk({ earlier: async () => Promise.reject(new Error('no')) });
  expect(await broken.desk.accept(keyed(file('S1')))).toMatchObject({ received: 1 });
});
