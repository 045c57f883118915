import type { TObject } from 'typebox';
import { upgradeKinds } from '#gateway/accounts/account.ts';
import { type RequestReason, requestReason } from '#shared/domain/reasons.ts';
import {
  type AnswerSpec,
  type BodySpec,
  type FileBody,
  isKeyed,
  isUpload,
  type Operation,
} from './operation.ts';
import { Problem, problemType } from './problem.ts';

const about = `Serial numbers of solar panels, inverters and batteries: registered once, never lost.

A refusal is a problem document (RFC 9457) with a reason code; all codes are at /v1/reasons. Times are epoch milliseconds
unless they are dates, which are YYYY-MM-DD.`;

/** The OpenAPI 3.1 document of the operations, made of the very schemas that requests are checked by. */
export function describeApi(operations: readonly Operation[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of operations) {
    const path = paths[operation.path] ?? {};
    path[operation.method.toLowerCase()] = describeOperation(operation);
    paths[operation.path] = path;
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Serial ledger', version: '1', description: about },
    paths,
    components: {
      schemas: { Problem },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        subscription: { type: 'apiKey', in: 'header', name: 'Ocp-Apim-Subscription-Key' },
      },
    },
  };
}

function describeOperation(operation: Operation): object {
  const { id, summary, description, tag, access } = operation;
  const parameters = [
    ...describeParameters('path', operation.params),
    ...describeParameters('query', operation.query),
    ...describeParameters('header', operation.headers),
  ];
  const who = access === 'public' ? 'Open to everybody.' : `For accounts of the kinds: ${access.join(', ')}.`;
  return {
    operationId: id,
    tags: [tag],
    summary,
    description: description === undefined ? who : `${description}\n\n${who}`,
    ...(operation.asksOnly ? { 'x-asks-only': true } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(operation.body ? { requestBody: describeBody(operation.body) } : {}),
    responses: { ...describeAnswers(operation.answers), ...describeRefusals(operation) },
    security: access === 'public' ? [] : [{ bearer: [] }, { subscription: [] }],
  };
}

function describeParameters(place: 'path' | 'query' | 'header', schema: TObject | undefined): object[] {
  return Object.entries(schema?.properties ?? {}).map(([name, property]) => ({
    name,
    in: place,
    required: place === 'path' || requiredOf(schema).includes(name),
    schema: property,
  }));
}

function requiredOf(schema: TObject | undefined): readonly string[] {
  return schema?.required ?? [];
}

function describeBody(body: BodySpec): object {
  switch (body.kind) {
    case 'json':
      return {
        required: true,
        content: {
          'application/json': {
            schema: body.schema,
            ...(body.example === undefined ? {} : { example: body.example }),
          },
        },
      };
    case 'file':
      return {
        required: true,
        content: Object.fromEntries(body.mediaTypes.map((type) => [type, describeFile(type, body)])),
      };
    case 'stream':
      return {
        required: true,
        content: Object.fromEntries(
          body.mediaTypes.map((type) => [
            type,
            {
              schema: { type: 'string' },
              ...(body.examples?.[type] ? { example: body.examples[type] } : {}),
            },
          ]),
        ),
      };
  }
}

function describeFile(type: string, { example, fields }: FileBody): object {
  if (type !== 'multipart/form-data')
    return { schema: { type: 'string' }, ...(example === undefined ? {} : { example }) };
  return {
    schema: {
      type: 'object',
      required: ['file'],
      properties: { ...fields, file: { type: 'string', contentMediaType: 'text/csv' } },
    },
  };
}

function describeAnswers(answers: Readonly<Record<number, AnswerSpec>>): Record<string, object> {
  return Object.fromEntries(
    Object.entries(answers).map(([status, { description, content, headers }]) => [
      status,
      {
        description,
        ...(headers
          ? { headers: mapValues(headers, (text) => ({ description: text, schema: { type: 'string' } })) }
          : {}),
        ...(content ? { content: mapValues(content, (schema) => ({ schema })) } : {}),
      },
    ]),
  );
}

/** Every reason for which the operation can refuse, by status. */
function describeRefusals(operation: Operation): Record<string, object> {
  const byStatus = new Map<number, RequestReason[]>();
  for (const code of refusalsOf(operation)) {
    const { status } = requestReason(code);
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      status,
      {
        description: codes.map((code) => `\`${code}\`: ${requestReason(code).sentence}`).join('\n\n'),
        content: { [problemType]: { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    ]),
  );
}

/** What an operation says of its refusals, and what follows from the rest of it. */
export function refusalsOf(operation: Operation): readonly RequestReason[] {
  const { access, params, query, headers, body, perMinuteMax } = operation;
  const implied: RequestReason[] = ['internal_error', 'temporarily_unavailable'];
  if (params || query || headers || body) implied.push('request_invalid');
  if (access !== 'public')
    implied.push('credentials_missing', 'credentials_unknown', 'not_permitted', 'not_ready');
  if (access !== 'public' && upgradeKinds.some((kind) => access.includes(kind)))
    implied.push('application_pending');
  if (access !== 'public') implied.push('rate_limited');
  if (isKeyed(operation)) implied.push('idempotency_key_reused');
  if (body) implied.push('media_type_unsupported', 'encoding_unsupported', 'body_too_slow', 'gzip_broken');
  if (body && body.kind !== 'stream') implied.push('body_too_large', 'inflates_too_far');
  if (isUpload(operation)) implied.push('overloaded', 'uploads_too_many');
  if (perMinuteMax !== undefined) implied.push('rate_limited');
  return [...new Set([...operation.refusals, ...implied])];
}

function mapValues<V, W>(record: Readonly<Record<string, V>>, change: (value: V) => W): Record<string, W> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}
