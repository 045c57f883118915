/** The statements of an SQL text, without comments around them. Semicolons inside quotes, comments and heredocs do not count. */
export function splitStatements(sql: string): string[] {
  const statements: string[] = [];
  let statement = '';
  for (const token of tokens(sql)) {
    if (token === ';') {
      statements.push(statement.trim());
      statement = '';
    } else {
      statement += isComment(token) ? ' ' : token;
    }
  }
  statements.push(statement.trim());
  return statements.filter((text) => text !== '');
}

// In this order: line comment, block comment, the three kinds of quotes (a backslash or a doubled quote goes on), heredoc.
const quoted =
  /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S]|"")*"|`(?:[^`\\]|\\[\s\S]|``)*`|(\$\w*\$)[\s\S]*?\1|;/g;
const opening = /\/\*|['"`]|\$\w*\$/;

function* tokens(sql: string): Generator<string> {
  let at = 0;
  for (const match of sql.matchAll(quoted)) {
    yield plain(sql.slice(at, match.index));
    yield match[0];
    at = match.index + match[0].length;
  }
  yield plain(sql.slice(at));
}

/** What opens a quote or a comment here was not closed: cutting at the next semicolon would run half a statement. */
function plain(text: string): string {
  const open = opening.exec(text);
  if (open !== null)
    throw new Error(`${open[0]} is opened and not closed: ${text.slice(open.index, open.index + 60)}`);
  return text;
}

function isComment(token: string): boolean {
  return token.startsWith('--') || token.startsWith('/*');
}

const name = '[`"]?[\\w.]+[`"]?';
const creation = new RegExp(
  `^CREATE\\s+(?:TABLE|VIEW|MATERIALIZED\\s+VIEW|DICTIONARY)\\s+IF\\s+NOT\\s+EXISTS\\s+(${name})\\s`,
  'i',
);
const addition = new RegExp(`^ALTER\\s+TABLE\\s+${name}\\s+([\\s\\S]+)$`, 'i');
const added =
  /^(?:ADD\s+(?:COLUMN|INDEX|PROJECTION|CONSTRAINT)\s+IF\s+NOT\s+EXISTS|MODIFY\s+(?:COMMENT|SETTING|QUERY)|COMMENT\s+COLUMN)\s/i;

/**
 * What a migration may do: add, and in a way that may be repeated, since ClickHouse has no lock and no transaction that
 * would keep two instances, or one that died half-way, from running a statement twice.
 * @returns the name of what it creates, undefined for an addition to a table, `refused` for everything else
 */
export function additive(statement: string): { readonly creates: string | undefined } | 'refused' {
  const created = creation.exec(`${statement} `)?.[1];
  if (created !== undefined) return { creates: created.replace(/[`"]/g, '') };
  const changes = addition.exec(statement)?.[1];
  if (changes === undefined || !added.test(changes)) return 'refused';
  // One change a statement: of several the later ones would not be looked at.
  return /,\s*(?:ADD|MODIFY|DROP|RENAME|CLEAR|DELETE|UPDATE|MATERIALIZE)\s/i.test(changes)
    ? 'refused'
    : { creates: undefined };
}
