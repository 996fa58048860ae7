import { Resolver } from 'node:dns/promises';
import { lookup } from 'node:dns/promises';
import { request as requestHttp, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { literalAddress, type Reachable } from './reachable.js';
import { codeText, NotSent, type OutgoingNotice, type Sender } from './sender.js';
import { signWebhook } from './webhook-signature.js';

/** Finds the addresses of a host name; an empty list: there is none. */
export type Resolve = (hostname: string) => Promise<readonly string[]>;

export interface WebhookOptions {
  readonly reachable: Reachable;
  readonly resolve: Resolve;
  /** Certificates to trust instead of the usual ones; for tests. */
  readonly ca?: string;
  /** From looking up the address to the status of the answer; default 10,000. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
/** How much of an answer is read, so that the receiver can finish it; nothing of it is kept. */
const ANSWER_BYTES_MAX = 65_536;
const RETRY_AFTER_MS_MAX = 3_600_000;
const GONE = 410;

/**
 * Sends a signed POST to a URL that somebody chose who need not be trusted with the operator's network. So the host's address is found
 * out here, checked, and connected to as it was checked: a name that answers one address to a check and another to the connection
 * gains nothing. Redirects are not followed, and nothing of the answer but its status is shown to anybody.
 */
export class WebhookSender implements Sender {
  readonly problem = null;
  readonly #options: WebhookOptions;

  constructor(options: WebhookOptions) {
    this.#options = options;
  }

  async send(notice: OutgoingNotice, stopping: AbortSignal): Promise<void> {
    const url = new URL(notice.target);
    const timeoutMs = this.#options.timeoutMs ?? TIMEOUT_MS;
    const timeout = AbortSignal.timeout(timeoutMs);
    const signal = AbortSignal.any([stopping, timeout]);
    try {
      const addresses = await untilAborted(this.#addressesOf(url), signal);
      judge(await this.#post(url, addresses, notice, signal));
    } catch (error) {
      if (error instanceof NotSent) throw error;
      if (timeout.aborted) throw new NotSent(`The receiver did not answer within ${timeoutMs / 1_000} s.`, { cause: error });
      throw new NotSent(`The receiver could not be reached${codeText(error)}.`, { cause: error });
    }
  }

  /** The addresses of the host, each of which may be reached. */
  async #addressesOf(url: URL): Promise<readonly string[]> {
    const literal = literalAddress(url);
    const addresses = literal === undefined ? await this.#options.resolve(url.hostname) : [literal];
    if (addresses.length === 0) throw new NotSent('The host of the URL is not known.');
    const verdicts = addresses.map((address) => this.#options.reachable.verdict(address));
    // One that is refused among others that are not is not left out silently: whoever answers so must not be trusted.
    if (verdicts.includes('refused')) throw new NotSent('The host of the URL has an address that is not public, so nothing is sent to it.');
    if (url.protocol !== 'https:' && verdicts.includes('public')) throw new NotSent('The URL must start with https://.');
    return addresses;
  }

  #post(url: URL, addresses: readonly string[], notice: OutgoingNotice, signal: AbortSignal): Promise<IncomingMessage> {
    const body = Buffer.from(JSON.stringify(payloadOf(notice)));
    const timestamp = String(Math.floor(Date.now() / 1_000));
    const options = {
      method: 'POST',
      // A connection of its own, which goes with the request.
      agent: false as const,
      lookup: pinnedTo(addresses),
      signal,
      headers: {
        'content-type': 'application/json',
        'content-length': body.length,
        'user-agent': 'Holdfast',
        'webhook-id': notice.deliveryId,
        'webhook-timestamp': timestamp,
        'webhook-signature': signWebhook(notice.secret ?? '', notice.deliveryId, timestamp, body),
      },
    };
    const { ca } = this.#options;
    return new Promise((resolve, reject) => {
      const request: ClientRequest =
        url.protocol === 'https:' ? requestHttps(url, { ...options, ...(ca === undefined ? {} : { ca }) }) : requestHttp(url, options);
      request.on('response', (response) => {
        discard(response);
        resolve(response);
      });
      // Also after the answer: what breaks then is of no consequence.
      request.on('error', reject);
      request.end(body);
    });
  }
}

/** What receivers get; docs/webhooks.md describes it. */
function payloadOf({ deliveryId, orgId, eventId, eventType, subject, occurredAt, title, lines, data }: OutgoingNotice) {
  return {
    deliveryId,
    type: eventType,
    eventId,
    orgId,
    subject,
    timestamp: occurredAt.toISOString(),
    title,
    text: lines.join('\n'),
    data,
  };
}

function pinnedTo(addresses: readonly string[]): LookupFunction {
  const entries = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_hostname, options, callback) => {
    if (options.all) callback(null, entries);
    else callback(null, entries[0]!.address, entries[0]!.family);
  };
}

/** Lets the receiver finish its answer, within bounds. */
function discard(response: IncomingMessage): void {
  let bytes = 0;
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) response.destroy();
  });
  response.on('error', () => {});
}

/** @throws {NotSent} unless the receiver took it. */
function judge({ statusCode = 0, headers }: IncomingMessage): void {
  if (statusCode >= 200 && statusCode < 300) return;
  if (statusCode >= 300 && statusCode < 400)
    throw new NotSent(`The receiver answered ${statusCode}: redirects are not followed, so the URL must be where it leads to.`);
  const isFinal = statusCode === GONE;
  throw new NotSent(`The receiver answered ${statusCode}.`, { isFinal, retryAfterMs: retryAfterMs(headers['retry-after']) });
}

/** Seconds or a date, as RFC 9110 says, and not for ever. */
function retryAfterMs(text: string | undefined): number {
  if (text === undefined) return 0;
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? 0 : Math.min(Math.max(ms, 0), RETRY_AFTER_MS_MAX);
}

async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason as Error);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

const DNS_TIMEOUT_MS = 3_000;
const DNS_TRIES = 2;
const NOT_THERE = ['ENODATA', 'ENOTFOUND', 'EBADNAME'];

/**
 * Asks the name servers themselves: the system's way (getaddrinfo) blocks one of four threads per host that does not answer, on which
 * everything else in the process waits as well.
 *
 * @param asksSystem also asks the system about a name that no name server knows, such as one of /etc/hosts: where the operator allows
 * networks of its own.
 */
export function nameServers(asksSystem: boolean): Resolve {
  const resolver = new Resolver({ timeout: DNS_TIMEOUT_MS, tries: DNS_TRIES });
  const none = (error: unknown): string[] => {
    if (Error.isError(error) && 'code' in error && NOT_THERE.includes(String(error.code))) return [];
    throw error;
  };
  return async (hostname) => {
    const [v4, v6] = await Promise.allSettled([resolver.resolve4(hostname).catch(none), resolver.resolve6(hostname).catch(none)]);
    const found = [v4, v6].flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    if (found.length > 0) return found;
    if (asksSystem)
      return (await lookup(hostname, { all: true }).catch(none)).map((entry) => (typeof entry === 'string' ? entry : entry.address));
    if (v4.status === 'rejected') throw v4.reason;
    return [];
  };
}
