// Everything that needs no engine: types, format, lint, unit, architecture, schema and simulation tests. Takes seconds.
import { add, close, runStatic, runTests } from './checks.ts';

const statics = await runStatic();
close(add(statics, await runTests('unit tests', ['--project', 'unit'])));
