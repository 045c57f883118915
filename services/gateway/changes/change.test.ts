import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isRefusal } from '#gateway/refusal.ts';
import type { Contents } from '#gateway/submissions/collect.ts';
import { documents, hasFreeNote } from '#gateway/submissions/documents.ts';
import { readFile } from '#gateway/submissions/read-file.ts';
import { reasons } from '#shared/domain/reasons.ts';
import { catalogue } from '#test/support/catalogue.ts';

const codes = new Set(reasons.map(({ code }) => code));
const words = [...catalogue.statuses, ...catalogue.statusReasons, ...catalogue.invalidationReasons].flatMap(
  ({ id, label }) => [id, label, label.toUpperCase(), ` ${id} `],
);

const cell = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...words) },
  {
    weight: 2,
    arbitrary: fc.constantFrom('', ' ', '=x', '="x"', "'x", 'a\nb', 'x'.repeat(101), 'x'.repeat(501)),
  },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
);
const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;

// Whatever stands in the cells: dedup is told of no change that the catalogue does not have.
test('each row of a file of changes has one finding, or a change that the catalogue has', async () => {
  let good = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...documents.filter(({ action }) => hasFreeNote(action))),
      fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 8 }),
      async (document, changes) => {
        const { action, layout } = document;
        const rows = changes.map(([status, reason, note], i) =>
          layout.map(({ field }) => {
            if (field === 'status') return status;
            if (field === 'reason') return reason;
            return field === 'note' ? note : field === 'serial' ? `SN-${i}` : 'Sun';
          }),
        );
        const file = [layout.map(({ heading }) => heading), ...rows]
          .map((cells) => cells.map(quoted).join(','))
          .join('\n');
        const contents = await readFile(Buffer.from(file), document, {
          partitions: 3,
          damageShareMax: 1,
          catalogue,
          sender: { supplier: 'Sun', mayUploadFor: () => true },
        });
        // Odd characters can make a file that is no text: then nothing of it is taken.
        if (isRefusal(contents)) return;
        const { records } = contents as Contents;
        expect(records.map(({ row }) => row)).toEqual(changes.map((_, i) => i + 1));
        for (const { finding, status, reason, note } of records) {
          if (finding !== '') {
            expect(codes).toContain(finding);
            continue;
          }
          good += 1;
          const ofStatus = catalogue.statuses.find(({ id }) => id === status);
          const allowed = action === 'invalidate' ? catalogue.invalidationReasons : ofStatus?.reasons;
          const known = allowed?.find(({ id }) => id === reason);
          expect([action, status, reason, known !== undefined]).toEqual([
            action,
            action === 'invalidate' ? '' : status,
            reason,
            true,
          ]);
          expect(!known?.needsNote || note.trim() !== '').toBe(true);
        }
      },
    ),
    { numRuns: 300 },
  );
  expect(good).toBeGreaterThan(0);
});
