// A whole ClickHouse server in this process: libchdb holds it, and its C entry point takes a command line.
// Arguments: data directory, HTTP port, native port, configuration file. Ends at once on SIGTERM; its data survives kill -9.
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import path from 'node:path';

const require = createRequire(import.meta.url);
const { DataType, load, open } = require('ffi-rs');

const libc = platform() === 'linux' ? '-gnu' : '';
const library = path.join(
  path.dirname(require.resolve(`@chdb/lib-${platform()}-${arch()}${libc}`)),
  'libchdb.so',
);
const [dataDir, httpPort, nativePort, configFile] = process.argv.slice(2);
open({ library: 'chdb', path: library });
const args = [
  'clickhouse-local',
  `--config-file=${configFile}`,
  `--path=${dataDir}`,
  '--listen_host=127.0.0.1',
  `--http_port=${httpPort}`,
  `--tcp_port=${nativePort}`,
  // The query never ends: it keeps the server listening.
  '--query=SYSTEM START LISTEN HTTP; SYSTEM START LISTEN TCP; SELECT sleepEachRow(1) FROM system.numbers FORMAT Null SETTINGS max_block_size=1, max_execution_time=0',
];
load({
  library: 'chdb',
  funcName: 'query_stable_v2',
  retType: DataType.External,
  paramsType: [DataType.I32, DataType.StringArray],
  paramsValue: [args.length, args],
});
