import type { ChannelKind } from '#libs/contracts';
import type { FieldError } from '#libs/domain';
import { literalAddress, type Reachable } from '../sending/reachable.js';

/** More channels than an organisation needs, and few enough that an event is written to all of them at once. */
export const CHANNELS_MAX = 100;

const EMAIL_LENGTH_MAX = 254;
const EMAIL =
  /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i;
const CHAT = /^(-?\d{1,20}|@[A-Za-z][A-Za-z0-9_]{3,31})$/;
/** It becomes a part of the URL that the bot is called by. */
const BOT_TOKEN = /^\d{1,20}:[A-Za-z0-9_-]{20,100}$/;
const SIGNING_KEY = /^whsec_((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)$/;
const SIGNING_KEY_BYTES_MIN = 24;
const SIGNING_KEY_BYTES_MAX = 64;

/** What is wrong with where a channel of a kind is to send (docs/rules.md, "Notifications"). */
export function checkTarget(kind: ChannelKind, target: string, reachable: Reachable): FieldError[] {
  const message = targetError(kind, target, reachable);
  return message === undefined ? [] : [{ path: 'target', message }];
}

function targetError(kind: ChannelKind, target: string, reachable: Reachable): string | undefined {
  switch (kind) {
    case 'email':
      return EMAIL.test(target) && target.length <= EMAIL_LENGTH_MAX ? undefined : 'must be an e-mail address';
    case 'telegram':
      return CHAT.test(target)
        ? undefined
        : 'must be the id of a chat, such as -1001234567890, or the name of a public one, such as @stock';
    case 'webhook':
      return urlError(target, reachable);
  }
}

/** What can be told without asking for the address of its host; the rest is checked each time something is sent. */
function urlError(target: string, reachable: Reachable): string | undefined {
  const url = URL.parse(target);
  if (url === null || !['https:', 'http:'].includes(url.protocol)) return 'must be a URL that starts with https://';
  if (url.username !== '' || url.password !== '') return 'must not carry a user or password; receivers check the signature';
  if (url.hash !== '') return 'must have no part behind #, which no server gets to see';
  const address = literalAddress(url);
  const verdict = address === undefined ? undefined : reachable.verdict(address);
  if (verdict === 'refused') return 'must be a public address; the operator may allow others (HOLDFAST_WEBHOOK_ALLOW)';
  // Of a host by name only its address decides, when something is sent.
  const mayBeHttp = verdict === 'allowed' || (verdict === undefined && reachable.allowsAny);
  return url.protocol === 'https:' || mayBeHttp ? undefined : 'must start with https://';
}

/** What is wrong with the secret of a channel; undefined: none was given. */
export function checkSecret(kind: ChannelKind, secret: string | undefined): FieldError[] {
  const message = secretError(kind, secret);
  return message === undefined ? [] : [{ path: 'secret', message }];
}

function secretError(kind: ChannelKind, secret: string | undefined): string | undefined {
  switch (kind) {
    case 'email':
      return secret === undefined ? undefined : 'must be left out: e-mail goes through the mail server of the operator';
    case 'telegram':
      return secret !== undefined && BOT_TOKEN.test(secret)
        ? undefined
        : 'must be the token that Telegram gave the bot, such as 123456:ABC...';
    case 'webhook':
      return secret !== undefined && isSigningKey(secret)
        ? undefined
        : `must be whsec_ and ${SIGNING_KEY_BYTES_MIN} to ${SIGNING_KEY_BYTES_MAX} random bytes in base64; make one with: echo whsec_$(openssl rand -base64 32)`;
  }
}

function isSigningKey(secret: string): boolean {
  const bytes = Buffer.from(SIGNING_KEY.exec(secret)?.[1] ?? '', 'base64').length;
  return bytes >= SIGNING_KEY_BYTES_MIN && bytes <= SIGNING_KEY_BYTES_MAX;
}

/** Which of the events that a channel is to be for people are not told of. */
export function checkEvents(events: readonly string[] | null | undefined, known: readonly string[]): FieldError[] {
  return (events ?? []).flatMap((type, index) =>
    known.includes(type) ? [] : [{ path: `events.${index}`, message: `must be one of ${known.join(', ')}` }],
  );
}
