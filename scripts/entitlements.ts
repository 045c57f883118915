// Certificates for every row of a CSV file: `npm run -s entitlements -- FILE.csv`, or `-` for standard input. See --help.
import { createReadStream, existsSync } from 'node:fs';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { parseArgs } from 'node:util';
import { OperationalError } from '#shared/base/errors.ts';
import { defaultPolicy, type Policy } from '#shared/domain/entitlement/index.ts';
import type { Heading } from './entitlements/heading.ts';
import { helpText } from './entitlements/help.ts';
import { answerCsv } from './entitlements/run.ts';

const failed = 2;

/** The CSV parser makes an object of every character of a chunk: small chunks keep its memory small. */
const readBytes = 16 * 1024;

function usage(message: string): OperationalError {
  return new OperationalError('usage', `${message} (--help explains)`, { retryable: false });
}

function oneOf<const Value extends string>(
  name: string,
  text: string | undefined,
  values: readonly Value[],
  usual: Value,
): Value {
  if (text === undefined) return usual;
  const value = values.find((candidate) => candidate === text);
  if (value === undefined) throw usage(`--${name} takes ${values.join(' or ')}`);
  return value;
}

interface Command {
  readonly help: boolean;
  readonly file: string;
  readonly policy: Policy;
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        anniversary: { type: 'string' },
        'october-2007': { type: 'string' },
        'wind-hydro-periods': { type: 'string' },
      },
    });
  } catch (error) {
    throw usage(error instanceof Error ? error.message : String(error));
  }
}

function readCommand(args: readonly string[]): Command {
  const { values, positionals } = parsed(args);
  const [file] = positionals;
  if (values.help) return { help: true, file: '', policy: defaultPolicy };
  if (file === undefined || positionals.length > 1) throw usage('name one CSV file, or - for standard input');
  const policy: Policy = {
    anniversary: oneOf(
      'anniversary',
      values.anniversary,
      ['included', 'excluded'],
      defaultPolicy.anniversary,
    ),
    october2007: oneOf(
      'october-2007',
      values['october-2007'],
      ['any_time', 'twelve_months'],
      defaultPolicy.october2007,
    ),
    windHydroPeriods: oneOf(
      'wind-hydro-periods',
      values['wind-hydro-periods'],
      ['shortened', 'unshortened'],
      defaultPolicy.windHydroPeriods,
    ),
  };
  return { help: false, file, policy };
}

/** npm runs scripts in the project's folder: a relative name may be meant from where npm was called. */
function located(file: string): string {
  if (existsSync(file)) return file;
  return path.resolve(process.env.INIT_CWD ?? '.', file);
}

function open(file: string): Readable {
  return file === '-' ? process.stdin : createReadStream(located(file), { highWaterMark: readBytes });
}

function tellPassedThrough({ names, columns }: Heading): void {
  const passed = names.filter((_, index) => columns[index] === undefined);
  if (passed.length > 0) process.stderr.write(`passed through, not used: ${passed.join(', ')}\n`);
}

function sentence(error: unknown, file: string): string {
  if (error instanceof OperationalError) return error.message;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return `${file}: there is no such file`;
  if (code === 'EISDIR') return `${file} is a folder`;
  if (code === 'EACCES') return `${file} may not be read`;
  if (code === 'EPIPE') return 'the reader of the output went away before the last row';
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

async function main(): Promise<void> {
  let file = '';
  try {
    const command = readCommand(process.argv.slice(2));
    if (command.help) {
      process.stdout.write(helpText());
      return;
    }
    file = command.file;
    await answerCsv(open(file), process.stdout, command.policy, tellPassedThrough);
  } catch (error) {
    process.stderr.write(`entitlements: ${sentence(error, file)}\n`);
    process.exitCode = failed;
  }
}

await main();
