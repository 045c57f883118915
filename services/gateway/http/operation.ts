import type { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import type { Static, TObject, TSchema } from 'typebox';
import type { AccountKind } from '#gateway/accounts/account.ts';
import type { Identity } from '#gateway/accounts/book.ts';
import type { Refusal } from '#gateway/refusal.ts';
import type { RequestReason } from '#shared/domain/reasons.ts';

/** What a body is: JSON with its schema, a file that the handler reads itself, or a stream. */
export type BodySpec = JsonBody | FileBody | StreamBody;
export interface JsonBody {
  readonly kind: 'json';
  readonly schema: object;
  readonly bytesMax: number;
  readonly example?: unknown;
  /** The schema describes; the handler itself checks, and says more than a schema can. */
  readonly checkedByHandler?: boolean;
  /** The handler gets the bytes as they came, since they are kept; it parses and checks them itself. */
  readonly raw?: boolean;
}
export interface FileBody {
  readonly kind: 'file';
  readonly mediaTypes: readonly string[];
  readonly example?: string;
  /** What a form may hold besides the file. */
  readonly fields?: Readonly<Record<string, object>>;
  readonly bytesMax: number;
}

/** Of any size: the handler gets the bytes as they come, and decodes them itself. */
export interface StreamBody {
  readonly kind: 'stream';
  readonly mediaTypes: readonly string[];
  /** By media type. */
  readonly examples?: Readonly<Record<string, string>>;
}

export interface AnswerSpec {
  readonly description: string;
  /** By media type; none for an empty answer. */
  readonly content?: Readonly<Record<string, object>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * One operation of the API: what is described at /openapi.json is what requests are checked by and who is let in.
 * Who may: everybody (`public`), or accounts of the kinds named.
 */
export interface Operation {
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** As in OpenAPI: `/v1/submissions/{submission}`. */
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  readonly tag: string;
  readonly access: 'public' | readonly AccountKind[];
  readonly params?: TObject;
  readonly query?: TObject;
  /** Names in lower case. */
  readonly headers?: TObject;
  readonly body?: BodySpec;
  readonly answers: Readonly<Record<number, AnswerSpec>>;
  /** Beyond those that follow from the rest: wrong shape, credentials, size, not ready. */
  readonly refusals: readonly RequestReason[];
  /** A POST that stores nothing: it may be repeated, and needs no Idempotency-Key. */
  readonly asksOnly?: true;
  /** Requests of one address in a minute. */
  readonly perMinuteMax?: number;
  /** Members of every problem document of the operation, beside the standard ones. */
  readonly refusalMembers?: Readonly<Record<string, string>>;
}

/** Whether whole bodies are held in memory while they are read and written: so many at once, and no more. */
export function isUpload({ body }: Operation): boolean {
  return body?.kind === 'file' || (body?.kind === 'json' && body.raw === true);
}

/** Whether a repetition is known by its Idempotency-Key. */
export function isKeyed({ headers }: Pick<Operation, 'headers'>): boolean {
  return headers?.properties['idempotency-key'] !== undefined;
}

/** What a handler gives back; a stream is sent as it comes. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object | Readable;
}

export interface Call<Params = unknown, Query = unknown, Headers = unknown, Body = unknown> {
  readonly params: Params;
  readonly query: Query;
  readonly headers: Headers;
  readonly body: Body;
  readonly request: FastifyRequest;
}

/** An operation with what carries it out. `identity` is there unless the operation is public. */
export interface Endpoint {
  readonly operation: Operation;
  readonly handle: (call: Call, identity: Identity | undefined) => Promise<Answer | Refusal>;
}

type Given<Schema> = Schema extends TSchema ? Static<Schema> : undefined;
type CallOf<O extends Operation> = Call<
  Given<O['params']>,
  Given<O['query']>,
  Given<O['headers']>,
  O['body'] extends { readonly kind: 'json'; readonly schema: infer Schema } ? Given<Schema> : unknown
>;

/** For everybody. */
export function open<const O extends Operation & { access: 'public' }>(
  operation: O,
  handle: (call: CallOf<O>) => Promise<Answer | Refusal>,
): Endpoint {
  return { operation, handle: (call) => handle(call as CallOf<O>) };
}

/** For accounts of some kinds. */
export function guarded<const O extends Operation & { access: readonly AccountKind[] }>(
  operation: O,
  handle: (call: CallOf<O>, identity: Identity) => Promise<Answer | Refusal>,
): Endpoint {
  return { operation, handle: (call, identity) => handle(call as CallOf<O>, identity as Identity) };
}
