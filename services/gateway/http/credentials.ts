import type { IncomingHttpHeaders } from 'node:http';

/**
 * The key of a request: `Authorization: Bearer ...`, or the header of the regulator's interface. Two different keys are
 * as good as none: nobody knows who is meant.
 */
export function credentialsOf(headers: IncomingHttpHeaders): string | undefined {
  const bearer = /^bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
  const subscription = headers['ocp-apim-subscription-key'];
  if (typeof subscription !== 'string' || subscription === '') return bearer;
  return bearer === undefined || bearer === subscription ? subscription : undefined;
}
