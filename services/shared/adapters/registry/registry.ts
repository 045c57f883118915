import { COMPATIBILITY, SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import { OperationalError } from '#shared/base/errors.ts';
import { withoutCredentials } from '#shared/base/urls.ts';
import type { RegistryPort } from '#shared/codec/codec.ts';

/**
 * Services that start together register the same subjects at once, and the registry may answer 409 to all but one, or
 * with the compatibility level of a subject that is half made. Asked again, it knows the text, or refuses for good.
 */
const refusalsMax = 5;
const againAfterMs = 100;

/**
 * A Confluent-compatible registry by URL. An incompatible schema is refused for good; everything else that goes wrong
 * is the world and may be tried again.
 */
export function openRegistry(url: string): RegistryPort {
  const registry = new SchemaRegistry({ host: url, retry: { retries: 5 } });
  return {
    async register(subject, schemaText) {
      for (let refusals = 1; ; refusals++) {
        try {
          const { id } = await registry.register(
            { type: SchemaType.AVRO, schema: schemaText },
            { subject, compatibility: COMPATIBILITY.BACKWARD_TRANSITIVE },
          );
          return id;
        } catch (cause) {
          const error = translateRegistryError(cause, subject, url);
          if (error.retryable || refusals === refusalsMax) throw error;
          await new Promise((resolve) => setTimeout(resolve, againAfterMs * refusals));
        }
      }
    },
  };
}

function translateRegistryError(cause: unknown, subject: string, url: string): OperationalError {
  const { status, name, message } = cause as Error & { status?: number };
  const refused = status === 409 || name === 'ConfluentSchemaRegistryCompatibilityError';
  return refused
    ? new OperationalError('schema_refused', `the schema registry refuses ${subject}: ${message}`, {
        retryable: false,
        cause,
      })
    : new OperationalError(
        'registry_unavailable',
        `the schema registry at ${withoutCredentials(url)} does not answer: ${message}`,
        { retryable: true, cause },
      );
}
