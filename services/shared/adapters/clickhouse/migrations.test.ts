import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { migrationOf, readMigrations } from './migrations.ts';
import { additive, splitStatements } from './statements.ts';

describe('statements', () => {
  test.each([
    ['two statements', 'SELECT 1; SELECT 2;', ['SELECT 1', 'SELECT 2']],
    ['the last without semicolon', 'SELECT 1;\nSELECT 2\n', ['SELECT 1', 'SELECT 2']],
    ['nothing', ' \n-- only a remark\n;;', []],
    ['in quotes', `SELECT ';', "a;b", \`c;d\`; SELECT 2`, [`SELECT ';', "a;b", \`c;d\``, 'SELECT 2']],
    ['behind an escaped quote', `SELECT 'it\\';s'; SELECT 2`, [`SELECT 'it\\';s'`, 'SELECT 2']],
    ['behind a doubled quote', `SELECT 'it'';s'; SELECT 2`, [`SELECT 'it'';s'`, 'SELECT 2']],
    ['in a remark', 'SELECT 1 -- a; b\n, 2; SELECT 3', ['SELECT 1  \n, 2', 'SELECT 3']],
    ['an apostrophe in a remark', "SELECT 1; -- don't\nSELECT 2;", ['SELECT 1', 'SELECT 2']],
    ['in a block remark', "/* a; 'b */ SELECT 1; SELECT /* ; */ 2", ['SELECT 1', 'SELECT   2']],
    ['in a heredoc', 'SELECT $x$a;b$x$; SELECT $$;$$', ['SELECT $x$a;b$x$', 'SELECT $$;$$']],
    ['two dashes in quotes', "SELECT '--;'; SELECT 2", ["SELECT '--;'", 'SELECT 2']],
  ])('semicolons: %s', (_, sql, expected) => {
    expect(splitStatements(sql)).toEqual(expected);
  });

  test.each(["SELECT 'a; SELECT 2", 'SELECT "a', 'SELECT /* a; SELECT 2', 'SELECT $$a; SELECT 2'])(
    'what is opened and not closed is refused: %s',
    (sql) => {
      expect(() => splitStatements(sql)).toThrow(/opened and not closed/);
    },
  );

  test.each([
    ['CREATE TABLE IF NOT EXISTS a (x UInt8) ENGINE = Null', 'a'],
    ['create materialized view if not exists `b` TO a AS SELECT 1', 'b'],
    ['ALTER TABLE a ADD COLUMN IF NOT EXISTS y String', undefined],
    ['ALTER TABLE a ADD INDEX IF NOT EXISTS i (x, y) TYPE minmax GRANULARITY 1', undefined],
    ['ALTER TABLE a MODIFY SETTING index_granularity = 256', undefined],
    ['ALTER TABLE v MODIFY QUERY SELECT 1', undefined],
  ])('additive: %s', (statement, creates) => {
    expect(additive(statement)).toEqual({ creates });
  });

  test.each([
    'CREATE TABLE a (x UInt8) ENGINE = Null',
    'CREATE OR REPLACE TABLE a (x UInt8) ENGINE = Null',
    'DROP TABLE a',
    'TRUNCATE TABLE a',
    'INSERT INTO a VALUES (1)',
    'ALTER TABLE a DROP COLUMN y',
    'ALTER TABLE a ADD COLUMN y String',
    'ALTER TABLE a ADD COLUMN IF NOT EXISTS y String, DROP COLUMN x',
    'ALTER TABLE a DELETE WHERE 1',
    'RENAME TABLE a TO b',
    'OPTIMIZE TABLE a FINAL',
  ])('refused: %s', (statement) => {
    expect(additive(statement)).toBe('refused');
  });
});

describe('files', () => {
  const folders: string[] = [];
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });

  const table = 'CREATE TABLE IF NOT EXISTS a (x UInt8) ENGINE = Null;\n';

  function folderOf(files: readonly string[], sql = table): string {
    const folder = mkdtempSync(path.join(tmpdir(), 'migrations-'));
    folders.push(folder);
    for (const file of files) writeFileSync(path.join(folder, file), sql);
    return folder;
  }

  test('come in the order of their numbers; other files are left alone', () => {
    const migrations = readMigrations(folderOf(['0002_b.sql', '0001_a.sql', 'README.md']));
    expect(migrations.map(({ number, name, creates }) => [number, name, creates])).toEqual([
      [1, '0001_a.sql', ['a']],
      [2, '0002_b.sql', ['a']],
    ]);
  });

  test.each([
    ['a gap', ['0001_a.sql', '0003_c.sql']],
    ['a number twice', ['0001_a.sql', '0001_b.sql']],
    ['a start at 0', ['0000_a.sql']],
    ['a name without number', ['0001_a.sql', 'later.sql']],
  ])('%s is refused', (_, files) => {
    expect(() => readMigrations(folderOf(files))).toThrow(/is expected/);
  });

  test('what takes away is refused with its text and its file', () => {
    expect(() => readMigrations(folderOf(['0001_a.sql'], `${table}DROP TABLE a;`))).toThrow(
      /0001_a\.sql does more than add: "DROP TABLE a"/,
    );
  });

  test('the hash is of the text, whatever its line ends', () => {
    const unix = migrationOf(1, '0001_a.sql', 'CREATE TABLE IF NOT EXISTS a\n(x UInt8) ENGINE = Null');
    const dos = migrationOf(1, '0001_a.sql', 'CREATE TABLE IF NOT EXISTS a\r\n(x UInt8) ENGINE = Null');
    const other = migrationOf(1, '0001_a.sql', 'CREATE TABLE IF NOT EXISTS a\n(x UInt16) ENGINE = Null');
    expect(dos).toEqual(unix);
    expect(other.sha256).not.toBe(unix.sha256);
  });

  test("the project's own are fit", () => {
    expect(readMigrations().length).toBeGreaterThan(0);
  });
});
