import { defineConfig } from 'vitest/config';

/** `unit` needs no engine and takes seconds; `engines` runs on the real ones, one file at a time. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'services/**/*.test.ts',
            'scripts/**/*.test.ts',
            'test/{architecture,schemas,entitlement,simulation}/**/*.test.ts',
          ],
          testTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'engines',
          include: ['test/{contract,integration,e2e}/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 240_000,
        },
      },
    ],
  },
});
