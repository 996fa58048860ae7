import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { StartupError } from './startup-error.js';

/** Where PostgreSQL is when nothing else is said. */
export const DEFAULT_DATABASE_URL = 'postgres://postgres@127.0.0.1:5432/holdfast';
/** Where RabbitMQ is when nothing else is said. */
export const DEFAULT_AMQP_URL = 'amqp://guest:guest@127.0.0.1:5672';

/** Where Telegram answers its bots. */
const TELEGRAM_API_URL = 'https://api.telegram.org';

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
const SECRET_LENGTH_MIN = 32;
/** Settings that may come from a file instead, named by the variable with `_FILE` behind it. */
const SECRETS = ['DATABASE_URL', 'AMQP_URL', 'HOLDFAST_ACTOR_SECRET', 'SMTP_URL'];

/** How the gateway knows who calls. */
export type AuthConfig =
  /** `POST /auth/token` gives a token to anyone; the gateway listens on 127.0.0.1 only. */
  | { readonly mode: 'dev' }
  /** Tokens of an identity provider, checked against its published keys. */
  | {
      readonly mode: 'jwks';
      /** `https://...` or `file:///...` */
      readonly jwksUrl: string;
      readonly issuer: string;
      readonly audience: string;
      readonly algorithm: string;
    };

/** What the service notifications reaches people with. */
export interface NotificationsConfig {
  /** `smtp://user:password@host:587`, or `smtps://`; null: no e-mail is sent. */
  readonly smtpUrl: string | null;
  /** The sender of e-mails; null exactly when there is no {@link smtpUrl}. */
  readonly smtpFrom: string | null;
  readonly telegramApiUrl: string;
  /** Networks (`10.1.0.0/16`) that webhooks may reach although they are not public, and without TLS. */
  readonly webhookAllow: readonly string[];
  /** The delays between the attempts at one delivery; the last failure after them is final. */
  readonly retryDelaysMs: readonly number[];
}

/** Everything that the environment decides, parsed once at start (docs/operating.md lists the variables). */
export interface Config {
  readonly production: boolean;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  /** The address that HTTP servers listen on. */
  readonly host: string;
  /** Port of the HTTP API (gateway). */
  readonly port: number;
  /** Port of probes and metrics of a service without an HTTP API; 0 takes a free one. */
  readonly healthPort: number;
  readonly databaseUrl: string;
  /** Connections per service and process. */
  readonly poolSizeMax: number;
  readonly amqpUrl: string;
  /** Before the names of all exchanges and queues, so that several Holdfasts share a broker; null for the names as they are. */
  readonly messagingPrefix: string | null;
  /** Which organisation a broker user may speak for in calls, `*` for any; `null`: everybody for any (development). */
  readonly amqpUserOrgs: Readonly<Record<string, string>> | null;
  /** Folder of the embedded database. */
  readonly dataDirectory: string;
  readonly auth: AuthConfig;
  /** Requests per second and caller. */
  readonly rateLimit: number;
  /** Longest time in which a stopping process finishes what it has begun. */
  readonly drainTimeoutMs: number;
  /** How far the clock of due work is ahead; for tests, which cannot wait for days. 0 in production. */
  readonly clockOffsetSeconds: number;
  /** OpenTelemetry collector; `null`: no traces are sent. */
  readonly otlpEndpoint: string | null;
  readonly notifications: NotificationsConfig;
}

/** Reads one variable at a time and collects every complaint. */
class Environment {
  readonly errors: string[] = [];

  constructor(private readonly variables: Readonly<Record<string, string | undefined>>) {}

  /** An empty variable counts as unset, because compose and Kubernetes files produce those. */
  optional(name: string): string | undefined {
    const value = this.variables[name]?.trim();
    return value === '' ? undefined : value;
  }

  required(name: string, why: string): string {
    const value = this.optional(name);
    if (value === undefined) this.errors.push(`${name} is missing: ${why}`);
    return value ?? '';
  }

  integer(name: string, fallback: number, min: number, max: number): number {
    const text = this.optional(name);
    if (text === undefined) return fallback;
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    this.errors.push(`${name} must be a whole number from ${min} to ${max}, but is "${text}"`);
    return fallback;
  }

  oneOf<const T extends string>(name: string, fallback: T, allowed: readonly T[]): T {
    const text = this.optional(name);
    if (text === undefined) return fallback;
    const value = allowed.find((candidate) => candidate === text);
    if (value === undefined) this.errors.push(`${name} must be one of ${allowed.join(', ')}, but is "${text}"`);
    return value ?? fallback;
  }

  /** The value is not repeated in the complaint, because a URL may carry a password. */
  url(name: string, value: string, protocols: readonly string[]): string {
    if (value !== '' && !protocols.includes(URL.parse(value)?.protocol ?? '')) {
      this.errors.push(`${name} must be a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`);
    }
    return value;
  }

  /** Words between commas. */
  list(name: string, fallback: readonly string[], isRight: (word: string) => boolean, expected: string): readonly string[] {
    const text = this.optional(name);
    if (text === undefined) return fallback;
    const words = text.split(',').map((word) => word.trim());
    if (words.every(isRight)) return words;
    this.errors.push(`${name} must be ${expected}, but is "${text}"`);
    return fallback;
  }

  stringMap(name: string): Readonly<Record<string, string>> | null {
    const text = this.optional(name);
    if (text === undefined) return null;
    try {
      const value: unknown = JSON.parse(text);
      if (
        typeof value === 'object' &&
        value !== null &&
        !Array.isArray(value) &&
        Object.values(value).every((entry) => typeof entry === 'string')
      ) {
        return value as Record<string, string>;
      }
    } catch {
      // Said below.
    }
    this.errors.push(`${name} must be a JSON object of strings, such as {"oms-acme":"acme"}`);
    return null;
  }
}

/**
 * Parses the configuration from environment variables.
 *
 * @throws {StartupError} that names everything that is wrong, at once.
 */
export function loadConfig(variables: Readonly<Record<string, string | undefined>> = process.env): Config {
  const environment = new Environment(variables);
  const production = environment.oneOf('NODE_ENV', 'development', ['development', 'test', 'production']) === 'production';
  const auth = authentication(environment, production);
  checkActorSecret(environment, production);
  if (production)
    environment.required('AMQP_USER_ORGS', 'it says for which organisation a broker user speaks, and * for those of the services');
  const config: Config = {
    production,
    logLevel: environment.oneOf('LOG_LEVEL', 'info', LOG_LEVELS),
    // Who gives tokens to anyone must not be reached from elsewhere.
    host: auth.mode === 'dev' ? '127.0.0.1' : (environment.optional('HOLDFAST_HOST') ?? '0.0.0.0'),
    port: environment.integer('PORT', 3000, 0, 65_535),
    healthPort: environment.integer('HOLDFAST_HEALTH_PORT', 8080, 0, 65_535),
    databaseUrl: environment.url('DATABASE_URL', environment.optional('DATABASE_URL') ?? DEFAULT_DATABASE_URL, [
      'postgres:',
      'postgresql:',
    ]),
    poolSizeMax: environment.integer('HOLDFAST_POOL_SIZE', 10, 2, 500),
    amqpUrl: environment.url('AMQP_URL', environment.optional('AMQP_URL') ?? DEFAULT_AMQP_URL, ['amqp:', 'amqps:']),
    messagingPrefix: environment.optional('HOLDFAST_MESSAGING_PREFIX') ?? null,
    amqpUserOrgs: environment.stringMap('AMQP_USER_ORGS'),
    dataDirectory: environment.optional('HOLDFAST_DATA') ?? '.data',
    auth,
    rateLimit: environment.integer('HOLDFAST_RATE_LIMIT', 1000, 1, 1_000_000),
    drainTimeoutMs: environment.integer('HOLDFAST_DRAIN_TIMEOUT_MS', 20_000, 100, 600_000),
    clockOffsetSeconds: clockOffset(environment, production),
    otlpEndpoint: environment.optional('OTEL_EXPORTER_OTLP_ENDPOINT') ?? null,
    notifications: notifications(environment),
  };
  if (environment.errors.length > 0) {
    throw new StartupError(['The configuration is not valid:', ...environment.errors.map((error) => `  - ${error}`)].join('\n'));
  }
  return config;
}

function authentication(environment: Environment, production: boolean): AuthConfig {
  const mode = environment.oneOf('HOLDFAST_AUTH', production ? 'jwks' : 'dev', ['dev', 'jwks']);
  if (mode === 'dev') {
    if (production) environment.errors.push('HOLDFAST_AUTH=dev gives a token to anyone, so it is refused when NODE_ENV=production');
    return { mode };
  }
  const why = 'HOLDFAST_AUTH=jwks checks tokens of an identity provider';
  return {
    mode,
    jwksUrl: environment.url('HOLDFAST_JWKS_URL', environment.required('HOLDFAST_JWKS_URL', why), ['https:', 'http:', 'file:']),
    issuer: environment.required('HOLDFAST_JWT_ISSUER', why),
    audience: environment.required('HOLDFAST_JWT_AUDIENCE', why),
    algorithm: environment.oneOf('HOLDFAST_JWT_ALGORITHM', 'RS256', ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA']),
  };
}

/** About 20 hours in all: it outlasts a night, and nobody gets what is a week old. */
const NOTIFY_RETRY_SECONDS = ['10', '60', '300', '1800', '7200', '21600', '43200'];
const NOTIFY_RETRY_SECONDS_MAX = 604_800;

function notifications(environment: Environment): NotificationsConfig {
  const smtpUrl = environment.optional('SMTP_URL') ?? null;
  if (smtpUrl !== null) {
    environment.url('SMTP_URL', smtpUrl, ['smtp:', 'smtps:']);
    environment.required('SMTP_FROM', 'SMTP_URL is set, and every e-mail needs a sender, such as "Holdfast <stock@example.com>"');
  }
  const seconds = environment.list(
    'HOLDFAST_NOTIFY_RETRY_SECONDS',
    NOTIFY_RETRY_SECONDS,
    (word) => /^\d{1,6}$/.test(word) && Number(word) <= NOTIFY_RETRY_SECONDS_MAX,
    `whole numbers of seconds up to ${NOTIFY_RETRY_SECONDS_MAX} between commas, such as 10,60,300`,
  );
  return {
    smtpUrl,
    smtpFrom: smtpUrl === null ? null : (environment.optional('SMTP_FROM') ?? null),
    telegramApiUrl: environment.url('HOLDFAST_TELEGRAM_API', environment.optional('HOLDFAST_TELEGRAM_API') ?? TELEGRAM_API_URL, [
      'https:',
      'http:',
    ]),
    webhookAllow: environment.list('HOLDFAST_WEBHOOK_ALLOW', [], isNetwork, 'networks between commas, such as 10.1.0.0/16,127.0.0.1/32'),
    retryDelaysMs: seconds.map((word) => Number(word) * 1_000),
  };
}

/** An address and the length of its prefix: `10.0.0.0/8`, `fd00::/8`. */
function isNetwork(text: string): boolean {
  const [, address = '', prefix] = /^([\da-f.:]+)\/(\d{1,3})$/i.exec(text) ?? [];
  const family = isIP(address);
  return family !== 0 && Number(prefix) <= (family === 4 ? 32 : 128);
}

function clockOffset(environment: Environment, production: boolean): number {
  const name = 'HOLDFAST_TEST_CLOCK_OFFSET_SECONDS';
  if (production && environment.optional(name) !== undefined)
    environment.errors.push(`${name} moves the clock; it is refused in production`);
  return environment.integer(name, 0, 0, 366 * 86_400);
}

/** The secret itself is read by libs/auth, which signs and checks with it; whether it can is told at start. */
function checkActorSecret(environment: Environment, production: boolean): void {
  const name = 'HOLDFAST_ACTOR_SECRET';
  const secret = production ? environment.required(name, 'gateway and services share it to sign who acts') : environment.optional(name);
  if (secret !== undefined && secret !== '' && secret.length < SECRET_LENGTH_MIN) {
    environment.errors.push(`${name} must have at least ${SECRET_LENGTH_MIN} characters`);
  }
}

/**
 * Puts secrets that are given as files (`DATABASE_URL_FILE=/run/secrets/database-url`) into `variables`, so that they need not be
 * in the environment that a container is started with.
 *
 * @throws {StartupError} when such a file cannot be read.
 */
export function readSecretFiles(variables: Record<string, string | undefined> = process.env): void {
  for (const name of SECRETS) {
    const file = variables[`${name}_FILE`];
    if (file === undefined || file === '') continue;
    try {
      variables[name] = readFileSync(file, 'utf8').trim();
    } catch (error) {
      throw new StartupError(`${name}_FILE names "${file}", which cannot be read.`, { cause: error });
    }
  }
}
