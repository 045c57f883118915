import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import multipart from '@fastify/multipart';
import rateLimit from '@fastify/rate-limit';
import fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import type { Logger } from 'pino';
import type { Identity } from '#gateway/accounts/book.ts';
import { isRefusal, type Refusal, refuse } from '#gateway/refusal.ts';
import { isRetryable } from '#shared/base/errors.ts';
import { admit, type Gate } from './access.ts';
import { requestCheck } from './check.ts';
import { describeApi } from './openapi.ts';
import { type Answer, type Endpoint, isUpload, type Operation } from './operation.ts';
import { problemOf, problemType } from './problem.ts';

export interface ServerOptions extends Gate {
  readonly endpoints: readonly Endpoint[];
  readonly log: Logger;
  /** Uploads whose bodies are being read or written at once. */
  readonly uploadsMax: number;
}

declare module 'fastify' {
  interface FastifyRequest {
    identity: Identity | undefined;
  }
  interface FastifyContextConfig {
    raw?: boolean;
    refusalMembers?: Readonly<Record<string, string>>;
  }
}

const retryAfterSeconds = 2;
const requestTimeoutMs = 120_000;

/** The HTTP face of the gateway. Every answer that is not a success is a problem document from the catalogue. */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const { log, endpoints } = options;
  const server = fastify({
    loggerInstance: log as FastifyInstance['log'],
    disableRequestLogging: true,
    genReqId: () => randomUUID(),
    // A body that trickles in ends here; whole bodies are bounded by each operation.
    requestTimeout: requestTimeoutMs,
    routerOptions: { maxParamLength: 400 },
    return503OnClosing: true,
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

  const uploads = { open: 0 };
  for (const endpoint of endpoints) addEndpoint(server, endpoint, options, uploads);
  const description = describeApi(endpoints.map(({ operation }) => operation));
  server.get('/openapi.json', async (_, reply) => reply.type('application/json').send(description));
  return server;
}

function addEndpoint(
  server: FastifyInstance,
  { operation, handle }: Endpoint,
  options: ServerOptions,
  uploads: { open: number },
): void {
  const check = requestCheck(operation);
  const { body, perMinuteMax } = operation;
  server.route({
    method: operation.method,
    url: operation.path.replaceAll(/\{(\w+)\}/g, ':$1'),
    ...(body ? { bodyLimit: body.bytesMax } : {}),
    config: {
      raw: body?.kind === 'json' && body.raw === true,
      refusalMembers: operation.refusalMembers ?? {},
      ...(perMinuteMax === undefined ? {} : { rateLimit: { max: perMinuteMax, timeWindow: 60_000 } }),
    },
    // Who asks is settled before a byte of the body is read.
    onRequest: async (request, reply) => {
      const identity = admit(operation, request.headers, options);
      if (identity && isRefusal(identity)) return refused(identity, request, reply);
      request.identity = identity;
      const refusal = admitMedia(operation, request) ?? admitUpload(operation, reply, options, uploads);
      if (refusal) return refused(refusal, request, reply);
    },
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

/** Bounds the memory that uploads may take together; the place is free again when the answer has gone out. */
function admitUpload(
  operation: Operation,
  reply: FastifyReply,
  options: ServerOptions,
  uploads: { open: number },
): Refusal | undefined {
  if (!isUpload(operation)) return undefined;
  if (uploads.open >= options.uploadsMax) return refuse('overloaded');
  uploads.open += 1;
  reply.raw.once('close', () => {
    uploads.open -= 1;
  });
  return undefined;
}

function answered({ status, headers, body }: Answer, reply: FastifyReply): FastifyReply {
  reply.status(status).headers({ ...headers });
  if (body === undefined) return reply.send();
  if (!(body instanceof Readable) && headers?.['content-type'] === undefined) reply.type('application/json');
  return reply.send(body);
}

function refused(refusal: Refusal, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = { ...request.routeOptions.config?.refusalMembers, ...problemOf(refusal, request.id) };
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer');
  if (problem.status === 429 || problem.status === 503)
    reply.header('retry-after', String(refusal.facts?.retry_after ?? retryAfterSeconds));
  // A refused upload is answered before it has come; what still comes is not read.
  if (!request.raw.complete) reply.header('connection', 'close');
  return reply.status(problem.status).type(problemType).send(JSON.stringify(problem));
}

/** Thrown errors: those of Fastify are wrong requests, the world is temporary, anything else is our bug. */
function failed(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
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
      return tooLarge(request.routeOptions.bodyLimit);
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

export function tooLarge(limit: number): Refusal {
  return refuse('body_too_large', `the limit is ${limit} bytes`, { limit });
}

/** What the rate limiter throws: it insists on an error. */
function rateRefused(seconds: number): Refusal & { statusCode: number } {
  return { ...refuse('rate_limited', undefined, { retry_after: seconds }), statusCode: 429 };
}
