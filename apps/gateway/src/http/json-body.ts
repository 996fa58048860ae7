import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { HoldfastError } from '#libs/domain';
import { significantDigits } from './decimal.js';

/** 1 MiB. */
export const BODY_BYTES_MAX = 1_048_576;

/** Reads bodies: JSON in UTF-8 and nothing else. */
export function readJsonBodies(app: NestFastifyApplication): void {
  const options = { bodyLimit: BODY_BYTES_MAX };
  app.useBodyParser('application/json', options, (_request, body, done) => {
    try {
      done(null, parseBody(body));
    } catch (error) {
      done(error as Error);
    }
  });
  const refuse = () => Promise.reject(malformed('The body must be JSON, with Content-Type: application/json.'));
  // Fastify takes plain text unless told otherwise.
  app.useBodyParser('text/plain', options, refuse);
  app.useBodyParser('*', options, refuse);
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
/** Only with these can a body hold a number that reading would change, or the name `__proto__`, escaped or not. */
const NEEDS_A_LOOK = /\d[\d.]{15}|__proto__|\\u00/;
const NUMBER_DIGITS_MAX = 15;

/**
 * Parses a JSON body. No body is undefined. A number of more than 15 significant digits, which JavaScript would silently round,
 * becomes NaN, so that whatever field it is meant for refuses it by name.
 *
 * @throws {HoldfastError} `MALFORMED_REQUEST`
 */
export function parseBody(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  try {
    const text = utf8.decode(bytes);
    // Looking at each value makes parsing several times slower.
    return NEEDS_A_LOOK.test(text) ? JSON.parse(text, lookAt) : JSON.parse(text);
  } catch (error) {
    throw malformed(`The body is not valid JSON: ${error instanceof Error ? error.message : 'it cannot be read'}`);
  }
}

function lookAt(key: string, value: unknown, context?: { source?: string }): unknown {
  // Copied into another object, it would replace that object's prototype.
  if (key === '__proto__') throw new SyntaxError('"__proto__" is not allowed as a name');
  return typeof value === 'number' && significantDigits(context?.source ?? '') > NUMBER_DIGITS_MAX ? Number.NaN : value;
}

function malformed(message: string): HoldfastError {
  return new HoldfastError('invalid', 'MALFORMED_REQUEST', message);
}
