import { Compile, type Validator } from 'typebox/schema';
import { expect } from 'vitest';

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read into answers whose shape was checked by their schema
  readonly body: any;
  /** Of an answer that is lines of JSON. */
  readonly lines?: readonly unknown[];
}

export interface CallOptions {
  readonly key?: string | undefined;
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON, or as it is when it is a text or a form. */
  readonly body?: object | string | FormData;
}

interface MediaType {
  readonly schema?: { readonly $ref?: string };
  readonly example?: unknown;
}

export interface DescribedOperation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly isPublic: boolean;
  /** Whether it takes an Idempotency-Key, and whether it says that it stores nothing. */
  readonly isKeyed: boolean;
  readonly asksOnly: boolean;
  /** Media types of the body, with their examples. */
  readonly body: Readonly<Record<string, MediaType>> | undefined;
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly content?: Readonly<Record<string, MediaType>> }>
  >;
}

/**
 * A gateway as its own description at /openapi.json says it is. Every answer to a call is held against it: the status
 * is documented, the media type is, the body has the shape, and the reason code stands under its status.
 */
export class DescribedApi {
  readonly url: string;
  readonly operations: ReadonlyMap<string, DescribedOperation>;
  /** `operation status` of every answer that came. */
  readonly seen = new Set<string>();
  readonly #problem: Validator;
  readonly #validators = new Map<string, Validator>();

  private constructor(url: string, operations: readonly DescribedOperation[], problem: object) {
    this.url = url;
    this.operations = new Map(operations.map((operation) => [operation.id, operation]));
    this.#problem = Compile(problem);
  }

  static async open(url: string): Promise<DescribedApi> {
    const response = await fetch(`${url}/openapi.json`);
    // biome-ignore lint/suspicious/noExplicitAny: a document of the outside world
    const document = (await response.json()) as any;
    expect(document.openapi).toBe('3.1.0');
    const operations = Object.entries<object>(document.paths).flatMap(([path, methods]) =>
      // biome-ignore lint/suspicious/noExplicitAny: as above
      Object.entries<any>(methods as any).map(
        ([method, operation]): DescribedOperation => ({
          id: operation.operationId,
          method: method.toUpperCase(),
          path,
          isPublic: operation.security.length === 0,
          isKeyed: (operation.parameters ?? []).some(
            (parameter: { in: string; name: string }) =>
              parameter.in === 'header' && parameter.name === 'idempotency-key',
          ),
          asksOnly: operation['x-asks-only'] === true,
          body: operation.requestBody?.content,
          responses: operation.responses,
        }),
      ),
    );
    return new DescribedApi(url, operations, document.components.schemas.Problem);
  }

  operation(id: string): DescribedOperation {
    const operation = this.operations.get(id);
    if (!operation) throw new Error(`${id} is not described`);
    return operation;
  }

  /** The example of an operation's JSON body. */
  example(id: string): Record<string, unknown> {
    const { body } = this.operation(id);
    return body?.['application/json']?.example as Record<string, unknown>;
  }

  async call(id: string, options: CallOptions = {}): Promise<Reply> {
    const operation = this.operation(id);
    const { key, params = {}, query = {}, headers = {}, body } = options;
    const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name) => {
      if (params[name] === undefined) throw new Error(`${id} needs ${name}`);
      return encodeURIComponent(params[name]);
    });
    const search = new URLSearchParams(query).toString();
    const isJson = body !== undefined && typeof body !== 'string' && !(body instanceof FormData);
    const response = await fetch(`${this.url}${path}${search === '' ? '' : `?${search}`}`, {
      method: operation.method,
      headers: {
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...(isJson ? { 'content-type': 'application/json' } : {}),
        ...headers,
      },
      ...(body === undefined ? {} : { body: isJson ? JSON.stringify(body) : (body as string | FormData) }),
    });
    const text = await response.text();
    const type = response.headers.get('content-type') ?? '';
    const areLines = type.startsWith('application/x-ndjson') && operation.method === 'POST';
    const isData = type.includes('json') && !type.includes('x-ndjson');
    const reply = {
      status: response.status,
      headers: response.headers,
      text,
      body: isData && text !== '' ? JSON.parse(text) : undefined,
      ...(areLines ? { lines: linesOf(text) } : {}),
    };
    this.#check(operation, reply);
    return reply;
  }

  #check(operation: DescribedOperation, { status, headers, text, body, lines }: Reply): void {
    const what = `${operation.id} answered ${status} ${text.slice(0, 500)}`;
    const documented = operation.responses[status];
    expect(documented, `${what}: not a documented status`).toBeDefined();
    this.seen.add(`${operation.id} ${status}`);
    if (!documented?.content) {
      expect(text, `${what}: should be empty`).toBe('');
      return;
    }
    const type = headers.get('content-type')?.split(';')[0] ?? '';
    const content = documented.content[type];
    expect(content, `${what}: ${type} is not documented`).toBeDefined();
    if (!type.endsWith('json')) return;
    for (const value of lines ?? (type.endsWith('x-ndjson') ? [] : [body])) {
      const errors = this.#validator(operation, status, type, content!).Errors(value)[1];
      expect(errors, what).toEqual([]);
    }
    if (type === 'application/problem+json')
      expect(documented.description, what).toContain(`\`${body.code}\``);
  }

  #validator(operation: DescribedOperation, status: number, type: string, { schema }: MediaType): Validator {
    if (schema?.$ref !== undefined) return this.#problem;
    const name = `${operation.id} ${status} ${type}`;
    const validator = this.#validators.get(name) ?? Compile(schema as object);
    this.#validators.set(name, validator);
    return validator;
  }
}

function linesOf(text: string): readonly unknown[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}
