// Everything, the tests on the real engines included. Arguments are handed to vitest: `npm test -- dedup` runs less.
import { add, close, runStatic, runTests } from './checks.ts';

const only = process.argv.slice(2);
if (only.length > 0) close(await runTests('chosen tests', only));
const statics = await runStatic();
const unit = await runTests('unit tests', ['--project', 'unit']);
close(add(add(statics, unit), await runTests('tests on the real engines', ['--project', 'engines'])));
