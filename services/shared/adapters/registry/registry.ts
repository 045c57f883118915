import { COMPATIBILITY, SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import { OperationalError } from '#shared/base/errors.ts';
import type { RegistryPort } from '#shared/codec/codec.ts';

/**
 * A Confluent-compatible registry by URL. An incompatible schema is refused for good; everything else that goes wrong
 * is the world and may be tried again.
 */
export function openRegistry(url: string): RegistryPort {
  const registry = new SchemaRegistry({ host: url, retry: { retries: 5 } });
  return {
    async register(subject, schemaText) {
      try {
        const { id } = await registry.register(
          { type: SchemaType.AVRO, schema: schemaText },
          { subject, compatibility: COMPATIBILITY.BACKWARD_TRANSITIVE },
        );
        return id;
      } catch (cause) {
        const { status, name } = cause as { status?: number; name?: string };
        const refused = status === 409 || name === 'ConfluentSchemaRegistryCompatibilityError';
        throw new OperationalError(
          refused ? 'schema_refused' : 'registry_unavailable',
          refused
            ? `the schema registry refuses ${subject}: ${(cause as Error).message}`
            : `the schema registry at ${url} does not answer: ${(cause as Error).message}`,
          { retryable: !refused, cause },
        );
      }
    },
  };
}
