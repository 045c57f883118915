import type { Results } from './results.ts';
import type { Latency, Spread } from './statistics.ts';

type Line = readonly [what: string, figure: string, target?: string, met?: boolean];

/** The results as a table: what was measured, the figure, and the target where there is one. */
export function linesOf(results: Results): readonly string[] {
  const { machine, node, date, commit } = results.setting;
  const lines = measuredLines(results);
  const widths = [0, 1].map((column) => Math.max(...lines.map((line) => String(line[column] ?? '').length)));
  return [
    `${date}, commit ${commit}, Node ${node}`,
    `${machine.cores} cores of ${machine.model}, ${machine.memoryGb} GB, ${machine.system}`,
    ...(results.quick ? ['--quick: short runs and small tables; not for publication'] : []),
    '',
    ...lines.map(([what, figure, target, met]) =>
      [what.padEnd(widths[0]!), figure.padEnd(widths[1]!), verdict(target, met)].join('  ').trimEnd(),
    ),
  ];
}

/** Everything that has a target and misses it. */
export function missedOf(results: Results): readonly string[] {
  return measuredLines(results)
    .filter(([, , , met]) => met === false)
    .map(([what, figure, target]) => `${what}: ${figure}, target ${target}`);
}

function measuredLines(results: Results): readonly Line[] {
  return [
    ...pipelineLines(results),
    ...latencyLines(results),
    ...redisLines(results),
    ...rebuildLines(results),
    ...searchLines(results),
    ...postgresLines(results),
    ...assessLines(results),
    ...claimsLines(results),
  ];
}

function verdict(target: string | undefined, met: boolean | undefined): string {
  if (target === undefined) return '';
  return `${met ? 'reached' : 'MISSED'} (${target})`;
}

function pipelineLines({ throughput }: Results): readonly Line[] {
  const { pipeline, kafkaEngines = [] } = throughput ?? {};
  return [
    ...(pipeline ? [rateLine('pipeline, CSV over HTTP to queryable rows', pipeline.rowsPerSecond)] : []),
    ...kafkaEngines.flatMap(({ name, rowsPerSecond, ratio }, i) => [
      rateLine(`ClickHouse's Kafka engine, ${name} a message`, rowsPerSecond),
      ...(ratio ? [ratioLine(ratio, i === 0)] : []),
    ]),
    ...(pipeline ? cpuLines('pipeline', pipeline.cpuUsPerRow) : []),
    ...kafkaEngines.flatMap(({ name, cpuUsPerRow }) => cpuLines(`Kafka engine, ${name}`, cpuUsPerRow)),
  ];
}

/** The target is for a peer that stores what we store; the other shows what storing less would gain it. */
function ratioLine(ratio: Spread, hasTarget: boolean): Line {
  const figure = spread(ratio, (value) => value.toFixed(2));
  return hasTarget
    ? ['  our rate by it', figure, 'at least 0.7', ratio.median >= 0.7]
    : ['  our rate by it', figure];
}

function cpuLines(of: string, cpuUsPerRow: Readonly<Record<string, number>>): readonly Line[] {
  const entries = Object.entries(cpuUsPerRow);
  const sum = entries.reduce((total, [, us]) => total + us, 0);
  return [
    [`${of}, CPU of all processes`, `${sum.toFixed(1)} us/row`],
    ...entries.map(([name, us]): Line => [`  ${name}`, `${us.toFixed(1)} us/row`]),
  ];
}

function latencyLines({ latency }: Results): readonly Line[] {
  if (!latency) return [];
  const { acceptedMs, queryableMs, files } = latency;
  return [
    [
      `one file of 5,000 rows, fleet idle (${files} times): 202`,
      ms(acceptedMs),
      'p50 under 60 ms',
      acceptedMs.p50 < 60,
    ],
    ['  queryable', ms(queryableMs), 'p50 under 200 ms', queryableMs.p50 < 200],
  ];
}

function redisLines({ redis }: Results): readonly Line[] {
  return (redis ?? []).map(({ serials, indexCapacity, bytesPerSerial, rowsPerSecond }, i): Line => {
    const what = `Redis, ${count(serials)} serials, INDEX_CAPACITY ${count(indexCapacity)}`;
    const figure = `${bytesPerSerial.toFixed(1)} bytes/serial, ${count(rowsPerSecond)} rows/s`;
    // The others show what another capacity costs.
    return i === 0 ? [what, figure, 'at most 24 bytes', bytesPerSerial <= 24] : [what, figure];
  });
}

function rebuildLines({ rebuild }: Results): readonly Line[] {
  if (!rebuild) return [];
  const { serials, entries, seconds, serialsPerSecond } = rebuild;
  return [
    [
      `rebuild-index, ${count(serials)} serials with ${count(entries)} entries`,
      `${seconds.toFixed(0)} s, ${count(serialsPerSecond)} serials/s`,
    ],
  ];
}

function searchLines({ search }: Results): readonly Line[] {
  return (search?.searches ?? []).map(
    ({ what, ...searchMs }): Line => [
      `search for ${what}, ${count(search!.serials)} serials of the account`,
      ms(searchMs),
      'p50 under 100 ms',
      searchMs.p50 < 100,
    ],
  );
}

function postgresLines({ postgres }: Results): readonly Line[] {
  if (!postgres) return [];
  if ('skipped' in postgres) return [['PostgreSQL', `skipped: ${postgres.skipped}`]];
  const { version, tableRows, connections, rowsPerSecond } = postgres;
  return [
    [
      `${version}, COPY and INSERT ... ON CONFLICT, ${count(tableRows)} rows, ${connections} connections`,
      `${spread(rowsPerSecond, count)} rows/s`,
    ],
  ];
}

const decidedMsMost = 300;

function claimsLines({ claims }: Results): readonly Line[] {
  if (!claims) return [];
  const { decidedMs } = claims;
  const decisions = Object.entries(claims.decisions).map(([decision, times]) => `${times} ${decision}`);
  return [
    [
      `one claim of 20 serials, fleet idle: its decision (${decisions.join(', ')})`,
      ms(decidedMs),
      `p50 under ${decidedMsMost} ms`,
      decidedMs.p50 < decidedMsMost,
    ],
  ];
}

/** Times that a look-up may take of a SELECT 1. */
const lookUpRatioMost = 10;
const lookUpsPerSecondLeast = 200;
const serialsPerSecondLeast = 60_000;

function assessLines({ assess }: Results): readonly Line[] {
  if (!assess) return [];
  const { ledger, selectOneMs, job } = assess;
  const ratio = ({ p50 }: Latency) => p50 / selectOneMs.p50;
  const lookUp = (what: string, lookUpMs: Latency, perSecond: number): readonly Line[] => [
    [
      what,
      `${ms(lookUpMs, 1)}; ${ratio(lookUpMs).toFixed(1)} times SELECT 1`,
      `p50 within ${lookUpRatioMost} times SELECT 1`,
      ratio(lookUpMs) <= lookUpRatioMost,
    ],
    [
      '  eight in flight',
      `${count(perSecond)} look-ups/s`,
      `at least ${lookUpsPerSecondLeast}`,
      perSecond >= lookUpsPerSecondLeast,
    ],
  ];
  return [
    [
      `ledger of ${count(ledger.rows)} entries`,
      `${ledger.parts} parts, ${ledger.compact} of them compact, ${(ledger.bytes / 1e9).toFixed(1)} GB`,
    ],
    ['SELECT 1', ms(selectOneMs, 1)],
    ...lookUp('look-up of 20 serials: evidence for a claim', assess.evidenceMs, assess.evidencePerSecond),
    ...lookUp('look-up of 20 serials: as the API answers', assess.lookUpMs, assess.lookUpsPerSecond),
    [
      `job of ${count(job.claims)} claims, ${count(job.serials)} serials, verdicts and CSV included`,
      `${job.seconds.toFixed(1)} s, ${count(job.serialsPerSecond)} serials/s`,
      `at least ${count(serialsPerSecondLeast)} serials/s`,
      job.serialsPerSecond >= serialsPerSecondLeast,
    ],
    [
      '  the same serials by a JOIN written by hand',
      `${job.joinSeconds.toFixed(1)} s; the job takes ${(job.seconds / job.joinSeconds).toFixed(1)} times as long`,
    ],
  ];
}

function rateLine(what: string, rates: Spread): Line {
  return [what, `${spread(rates, count)} rows/s`];
}

function ms({ p50, p95 }: Latency, digits = 0): string {
  return `p50 ${p50.toFixed(digits)} ms, p95 ${p95.toFixed(digits)} ms`;
}

function spread({ min, median, max }: Spread, format: (value: number) => string): string {
  return `${format(median)} (${format(min)} to ${format(max)})`;
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}
