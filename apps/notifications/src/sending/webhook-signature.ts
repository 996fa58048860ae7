import { createHmac } from 'node:crypto';

/**
 * The signature of a webhook, after the Standard Webhooks specification, for which there are libraries in most languages: HMAC-SHA-256
 * over id, timestamp and body, in base64 (docs/webhooks.md).
 *
 * @param secret `whsec_` and the key in base64.
 * @param timestamp seconds since 1970, as in the header.
 */
export function signWebhook(secret: string, id: string, timestamp: string, body: Buffer): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')}`;
}
