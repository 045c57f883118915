import { createRequire } from 'node:module';
import type * as FastCsv from 'fast-csv';

/**
 * The one place where fast-csv is loaded to read. Its parser is used without the stream around it, which costs a row as much as
 * parsing it, and two of its inner functions are replaced by ones that give the same without an object or a regular
 * expression for every character: reading a cell without quotation marks, and finding what comes next. Tested against the
 * whole of fast-csv as it was published.
 */
const require = createRequire(import.meta.url);
const requireParser = createRequire(createRequire(require.resolve('fast-csv')).resolve('@fast-csv/parse'));

const { ParserOptions } = require('fast-csv') as typeof FastCsv;
const { Parser } = requireParser('./parser/Parser.js') as {
  Parser: new (
    options: FastCsv.ParserOptions,
  ) => {
    parse(text: string, hasMore: boolean): { readonly line: string; readonly rows: readonly string[][] };
  };
};

/** Gives the rows of a text that comes in pieces. Throws what fast-csv throws, and then still holds what it held before. */
export class PieceParser {
  readonly #parser: InstanceType<typeof Parser>;
  #unread = '';

  constructor(delimiter: string) {
    this.#parser = new Parser(new ParserOptions({ headers: false, delimiter }));
  }

  /** What it holds of a row that has not ended. */
  get unread(): string {
    return this.#unread;
  }

  /** The rows that end in this piece. */
  parse(piece: string): readonly string[][] {
    return this.#parse(this.#unread + piece, true);
  }

  /** The last row, when no line end follows it. */
  end(): readonly string[][] {
    return this.#parse(this.#unread, false);
  }

  #parse(text: string, hasMore: boolean): readonly string[][] {
    if (text === '') return [];
    const { line, rows } = this.#parser.parse(text, hasMore);
    this.#unread = line;
    return rows;
  }
}

interface Options {
  readonly delimiter: string;
}

interface Scanner {
  readonly line: string;
  readonly lineLength: number;
  readonly parserOptions: Options;
  cursor: number;
}

interface ColumnParser {
  readonly parserOptions: Options;
  readonly columnFormatter: { format(text: string): string };
}

type TokenClass = new (of: { token: string; startCursor: number; endCursor: number }) => object;

const { Token } = requireParser('./parser/Token.js') as { Token: TokenClass };
const { Scanner } = requireParser('./parser/Scanner.js') as { Scanner: { prototype: object } };
const { NonQuotedColumnParser } = requireParser('./parser/column/NonQuotedColumnParser.js') as {
  NonQuotedColumnParser: { prototype: { parse(this: ColumnParser, scanner: Scanner): string | null } };
};

const lineFeed = 10;
const carriageReturn = 13;

NonQuotedColumnParser.prototype.parse = function (scanner) {
  const { line, lineLength, cursor } = scanner;
  if (cursor >= lineLength) return null;
  const delimiter = this.parserOptions.delimiter.charCodeAt(0);
  let end = cursor;
  for (; end < lineLength; end++) {
    const code = line.charCodeAt(end);
    if (code === delimiter || code === lineFeed || code === carriageReturn) break;
  }
  scanner.cursor = end;
  return this.columnFormatter.format(line.slice(cursor, end));
};

Object.defineProperty(Scanner.prototype, 'nextNonSpaceToken', {
  get(this: Scanner) {
    const { line, lineLength, parserOptions } = this;
    const delimiter = parserOptions.delimiter.charCodeAt(0);
    for (let at = this.cursor; at < lineLength; at++) {
      const code = line.charCodeAt(at);
      const isEnd = code === lineFeed || code === carriageReturn;
      if (!isEnd && code !== delimiter && isSpace(code)) continue;
      const isPair = code === carriageReturn && line.charCodeAt(at + 1) === lineFeed;
      const endCursor = isPair ? at + 1 : at;
      return new Token({ token: line.slice(at, endCursor + 1), startCursor: at, endCursor });
    }
    return null;
  },
});

const wideSpace = /\s/;

function isSpace(code: number): boolean {
  if (code < 128) return code === 32 || (code >= 9 && code <= 13);
  return wideSpace.test(String.fromCharCode(code));
}
