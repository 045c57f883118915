/**
 * How Node is to be started for a gateway, by whatever starts it. Left alone, V8 lets garbage grow to several times of what is
 * alive, and glibc keeps what large buffers leave behind: with a stream of millions of rows 330 MB of resident memory. With
 * these it stays below 200 MB, for a third more CPU; where memory is plentiful they can be left out.
 */
export const launch = {
  nodeFlags: ['--max-semi-space-size=8', '--heap-growing-percent=60'],
  env: { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '131072', MALLOC_TRIM_THRESHOLD_: '131072' },
} as const;
