import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import multipart from '@fastify/multipart';
import rateLimit from '@fastify/rate-limit';
import fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import type { Logger } from 'pino';
import type { Identity } from '#gateway/accounts/book.ts';
import { UploadGate } from '#gateway/load/upload-gate.ts';
import { isRefusal, type Refusal, RefusedError, refuse } from '#gateway/refusal.ts';
import { isRetryable } from '#shared/base/errors.ts';
import { admit, type Gate } from './access.ts';
import { encodingGiven, inflated, tooLarge } from './body-bytes.ts';
import { requestCheck } from './check.ts';
import { describeApi } from './openapi.ts';
import { type Answer, type Endpoint, isUpload, type Operation } from './operation.ts';
import { problemOf, problemType } from './problem.ts';
import { ReadPast } from './read-past.ts';

export interface ServerOptions extends Gate {
  readonly endpoints: readonly Endpoint[];
  readonly log: Logger;
  readonly load?: Partial<LoadLimits>;
}

/** What keeps one client from hurting others. */
export interface LoadLimits {
  /** Uploads whose bodies are being read or written at once: of all accounts, and of one. */
  readonly uploadsMax: number;
  readonly accountUploadsMax: number;
  /** Bytes that their bodies may take together. */
  readonly uploadMemoryBytes: number;
  /** Requests of one account in a minute, at this instance. */
  readonly requestsPerMinute: number;
  /** How long the whole body of a request that is no stream may take to come. */
  readonly bodyMs: number;
  /** At least so many bytes must come in each such time. */
  readonly bodyWindowMs: number;
  readonly bodyWindowBytes: number;
  /** How many times its compressed size a body may grow to. */
  readonly inflationMax: number;
}

export const loadLimitsDefault: LoadLimits = {
  uploadsMax: 512,
  accountUploadsMax: 256,
  uploadMemoryBytes: 256 * 1024 * 1024,
  requestsPerMinute: 60_000,
  bodyMs: 300_000,
  bodyWindowMs: 10_000,
  bodyWindowBytes: 8 * 1024,
  inflationMax: 200,
};

declare module 'fastify' {
  interface FastifyRequest {
    identity: Identity | undefined;
  }
  interface FastifyContextConfig {
    operation?: string;
    raw?: boolean;
    isStream?: boolean;
    refusalMembers?: Readonly<Record<string, string>>;
  }
}

const retryAfterSeconds = 2;
const headersTimeoutMs = 20_000;
/** What a compressed body may become whatever its compressed size. */
const inflationFreeBytes = 1024 * 1024;

interface Surroundings {
  readonly gate: Gate;
  readonly limits: LoadLimits;
  readonly uploads: UploadGate;
  /** What there is to say to a request of a known account, before anything else is looked at. */
  readonly limited: (request: FastifyRequest) => Promise<Refusal | undefined>;
}

/** The HTTP face of the gateway. Every answer that is not a success is a problem document from the catalogue. */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const { log, endpoints } = options;
  const limits = { ...loadLimitsDefault, ...options.load };
  const server = fastify({
    loggerInstance: log as FastifyInstance['log'],
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    // A stream may take hours: how long a body may take is watched by each operation.
    requestTimeout: 0,
    http: { headersTimeout: headersTimeoutMs },
    routerOptions: { maxParamLength: 400 },
    // Refused here, in the words of the catalogue.
    return503OnClosing: false,
  }) as unknown as FastifyInstance;
  server.decorateRequest('identity', undefined);
  server.addContentTypeParser('text/csv', { parseAs: 'buffer' }, (_, body, done) => done(null, body));
  const parseJson = server.getDefaultJsonParser('error', 'error');
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    if (request.routeOptions.config.raw) done(null, body);
    else void parseJson(request, body.toString(), done);
  });
  await server.register(multipart, { throwFileSizeLimit: true });
  await server.register(rateLimit, {
    global: false,
    errorResponseBuilder: (_, context) => rateRefused(Math.ceil(context.ttl / 1_000)),
  });
  server.setErrorHandler((error, request, reply) => failed(error, request, reply));
  server.setNotFoundHandler((request, reply) => refused(refuse('resource_not_found'), request, reply));
  // Of what nobody takes nothing is read.
  server.addHook('onRequest', async (request, reply) => {
    if (request.is404) return refused(refuse('resource_not_found'), request, reply);
  });
  const readPast = new ReadPast(limits);
  server.addHook('onResponse', async ({ raw, routeOptions, identity }) =>
    readPast.rest(raw, Boolean(identity) && !routeOptions.config.isStream),
  );
  server.addHook('preClose', async () => readPast.end());

  const around = {
    gate: options,
    limits,
    uploads: new UploadGate({
      openMax: limits.uploadsMax,
      accountMax: limits.accountUploadsMax,
      bytesMax: limits.uploadMemoryBytes,
    }),
    limited: admission(server, limits),
  };
  const isStream = ({ operation }: Endpoint) => operation.body?.kind === 'stream';
  for (const endpoint of endpoints.filter((of) => !isStream(of))) addEndpoint(server, endpoint, around);
  await server.register((scope, _, done) => {
    // Here bodies are handed on as they come.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_, payload, done) => done(null, payload));
    for (const endpoint of endpoints.filter(isStream)) addEndpoint(scope, endpoint, around);
    done();
  });
  const description = describeApi(endpoints.map(({ operation }) => operation));
  server.get('/openapi.json', async (_, reply) => reply.type('application/json').send(description));
  return server;
}

/** Whether another request of the account is taken now. */
function admission(server: FastifyInstance, limits: LoadLimits): Surroundings['limited'] {
  const count = server.createRateLimit({
    max: limits.requestsPerMinute,
    timeWindow: 60_000,
    keyGenerator: ({ identity }: FastifyRequest) => identity?.account.id ?? '',
  });
  let stopping = false;
  server.addHook('preClose', async () => {
    stopping = true;
  });
  return async (request) => {
    if (stopping) return refuse('temporarily_unavailable', 'this instance is stopping');
    if (!request.identity) return undefined;
    const counted = await count(request);
    if (counted.isAllowed || !counted.isExceeded) return undefined;
    const limit = limits.requestsPerMinute;
    return refuse('rate_limited', `an account may send ${limit} requests a minute`, {
      limit,
      limit_name: 'accounts.requests_per_minute',
      retry_after: Math.max(counted.ttlInSeconds, 1),
    });
  };
}

function addEndpoint(server: FastifyInstance, { operation, handle }: Endpoint, around: Surroundings): void {
  const check = requestCheck(operation);
  const { body, perMinuteMax } = operation;
  server.route({
    method: operation.method,
    url: operation.path.replaceAll(/\{(\w+)\}/g, ':$1'),
    bodyLimit: body && body.kind !== 'stream' ? body.bytesMax : Number.MAX_SAFE_INTEGER,
    config: {
      operation: operation.id,
      raw: body?.kind === 'json' && body.raw === true,
      isStream: body?.kind === 'stream',
      refusalMembers: operation.refusalMembers ?? {},
      ...(perMinuteMax === undefined ? {} : { rateLimit: { max: perMinuteMax, timeWindow: 60_000 } }),
    },
    // Who asks is settled before a byte of the body is read.
    onRequest: async (request, reply) => {
      const identity = admit(operation, request.headers, around.gate);
      if (identity && isRefusal(identity)) return refused(identity, request, reply);
      request.identity = identity;
      const refusal =
        (await around.limited(request)) ??
        admitMedia(operation, request) ??
        admitEncoding(operation, request) ??
        admitUpload(operation, request, reply, around);
      if (refusal) return refused(refusal, request, reply);
      if (body?.kind !== 'stream') watchBody(request, reply, around.limits);
    },
    ...(body && body.kind !== 'stream'
      ? {
          preParsing: async (request: FastifyRequest, _: FastifyReply, payload: NodeJS.ReadableStream) =>
            isCompressed(request)
              ? inflated(payload as Readable, {
                  bytesMax: body.bytesMax,
                  ratioMax: around.limits.inflationMax,
                  freeBytes: inflationFreeBytes,
                  name: bodyLimitName(operation.id),
                })
              : payload,
        }
      : {}),
    handler: async (request, reply) => {
      const { params, query, headers } = request;
      const parts = check({ params, query, headers, body: body?.kind === 'json' ? request.body : undefined });
      if (isRefusal(parts)) return refused(parts, request, reply);
      const answer = await handle({ ...parts, body: request.body, request }, request.identity);
      return isRefusal(answer) ? refused(answer, request, reply) : answered(answer, reply);
    },
  });
}

/** A parser that is there for another operation must not read the body of this one. */
function admitMedia({ body }: Operation, request: FastifyRequest): Refusal | undefined {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (!body || type === undefined) return undefined;
  const accepted = body.kind === 'json' ? ['application/json'] : body.mediaTypes;
  return accepted.includes(type)
    ? undefined
    : refuse('media_type_unsupported', `${accepted.join(' or ')} is read here`);
}

function isCompressed({ headers }: FastifyRequest): boolean {
  return encodingGiven(headers) === 'gzip';
}

/** Whoever compresses says so, and is understood: bytes are never taken for what they are not. */
function admitEncoding({ body }: Operation, request: FastifyRequest): Refusal | undefined {
  const encoding = encodingGiven(request.headers);
  if (!body || encoding === 'identity') return undefined;
  if (encoding !== 'gzip') return refuse('encoding_unsupported', `"${encoding.slice(0, 40)}" is not known`);
  // The parser of forms reads the connection itself.
  return request.headers['content-type']?.toLowerCase().startsWith('multipart/')
    ? refuse('encoding_unsupported', 'a form is not compressed')
    : undefined;
}

/** The place is free again when the answer has gone out. */
function admitUpload(
  operation: Operation,
  request: FastifyRequest,
  reply: FastifyReply,
  { uploads }: Surroundings,
): Refusal | undefined {
  const { body } = operation;
  if (!body || body.kind === 'stream' || !isUpload(operation)) return undefined;
  const announced = isCompressed(request) ? Number.NaN : Number(request.headers['content-length']);
  const bytes = announced >= 0 ? Math.min(announced, body.bytesMax) : body.bytesMax;
  const leave = uploads.enter(request.identity?.account.id ?? '', bytes);
  if (isRefusal(leave)) return leave;
  reply.raw.once('close', leave);
  return undefined;
}

/** Ends the waiting for a body that trickles in. */
function watchBody(request: FastifyRequest, reply: FastifyReply, limits: LoadLimits): void {
  const { raw } = request;
  if (raw.complete || !hasBody(request)) return;
  const begun = performance.now();
  let before = raw.socket.bytesRead;
  const timer = setInterval(
    () => {
      const came = raw.socket.bytesRead - before;
      before += came;
      if (raw.complete || reply.sent) return clearInterval(timer);
      const isLate = performance.now() - begun >= limits.bodyMs;
      if (came >= limits.bodyWindowBytes && !isLate) return;
      clearInterval(timer);
      const limit = isLate ? raw.socket.bytesRead : limits.bodyWindowBytes;
      const seconds = (isLate ? limits.bodyMs : limits.bodyWindowMs) / 1_000;
      refused(refuse('body_too_slow', undefined, { limit, seconds }), request, reply);
    },
    Math.min(limits.bodyWindowMs, limits.bodyMs),
  );
  raw.once('close', () => clearInterval(timer));
}

function hasBody({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function answered({ status, headers, body }: Answer, reply: FastifyReply): FastifyReply {
  reply.status(status).headers({ ...headers });
  if (body === undefined) return reply.send();
  if (!(body instanceof Readable) && headers?.['content-type'] === undefined) reply.type('application/json');
  return reply.send(body);
}

function refused(refusal: Refusal, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  // Whoever was told that the body came too slowly is not told again that it did not come.
  if (reply.sent) return reply;
  const problem = { ...request.routeOptions.config?.refusalMembers, ...problemOf(refusal, request.id) };
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer');
  if (problem.status === 429 || problem.status === 503)
    reply.header('retry-after', String(refusal.facts?.retry_after ?? retryAfterSeconds));
  // What is still to come of a body is read past, so the connection need not be closed.
  reply.removeHeader('connection');
  return reply.status(problem.status).type(problemType).send(JSON.stringify(problem));
}

/** Thrown errors: those of Fastify are wrong requests, the world is temporary, anything else is our bug. */
function failed(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error instanceof RefusedError) return refused(error.refusal, request, reply);
  if (typeof error === 'object' && error !== null && isRefusal(error)) return refused(error, request, reply);
  const refusal = refusalOf(error as FastifyError, request);
  if (refusal) return refused(refusal, request, reply);
  if (isRetryable(error)) {
    request.log.warn({ err: error, correlation: request.id }, 'a request was not completed');
    return refused(refuse('temporarily_unavailable'), request, reply);
  }
  request.log.error({ err: error, correlation: request.id }, 'a request failed');
  return refused(refuse('internal_error'), request, reply);
}

function refusalOf(error: FastifyError, request: FastifyRequest): Refusal | undefined {
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
    case 'FST_REQ_FILE_TOO_LARGE':
      return tooLarge(
        request.routeOptions.bodyLimit,
        bodyLimitName(request.routeOptions.config.operation ?? ''),
      );
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
    case 'FST_INVALID_MULTIPART_CONTENT_TYPE':
      return refuse('media_type_unsupported');
    default: {
      // Fastify and its parsers name what a client did wrong by a status below 500.
      const status = error.statusCode ?? 500;
      return status >= 400 && status < 500 ? refuse('request_invalid', error.message) : undefined;
    }
  }
}

/** What the limit of a body is called among all limits. */
function bodyLimitName(operation: string): string {
  return `operations.${operation}.body_bytes`;
}

/** What the rate limiter throws: it insists on an error. */
function rateRefused(seconds: number): Refusal & { statusCode: number } {
  return { ...refuse('rate_limited', undefined, { retry_after: seconds }), statusCode: 429 };
}
