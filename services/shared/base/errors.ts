/**
 * The second of the three kinds of failure (architecture, section 7): the world does not answer as it should.
 * Wrong data is a value, never an error; our own bugs are assertions.
 */
export class OperationalError extends Error {
  readonly code: string;
  /** true: the same call may work later. Unknown errors are not retryable: they stop the process. */
  readonly retryable: boolean;

  constructor(code: string, message: string, options: { retryable: boolean; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'OperationalError';
    this.code = code;
    this.retryable = options.retryable;
  }
}

/** The third kind: our own bug, or a configuration nobody may run. The process stops and the log is replayed. */
export class AssertionError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'AssertionError';
  }
}

export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

export function isRetryable(error: unknown): boolean {
  return error instanceof OperationalError && error.retryable;
}
