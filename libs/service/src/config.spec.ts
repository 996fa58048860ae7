import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig, readSecretFiles } from './config.js';

describe('loadConfig', () => {
  it('needs nothing for development', () => {
    expect(loadConfig({})).toMatchObject({
      port: 3000,
      host: '127.0.0.1',
      databaseUrl: 'postgres://postgres@127.0.0.1:5432/holdfast',
      dataDirectory: '.data',
      auth: { mode: 'dev' },
      amqpUserOrgs: null,
    });
  });

  it('says everything that is wrong at once, and no password', () => {
    const load = () =>
      loadConfig({
        PORT: '80x',
        LOG_LEVEL: 'loud',
        DATABASE_URL: 'mysql://root:hunter2@db/x',
        AMQP_USER_ORGS: '[1]',
        HOLDFAST_POOL_SIZE: '1',
      });
    expect(load).toThrow(
      [
        'The configuration is not valid:',
        '  - LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent, but is "loud"',
        '  - PORT must be a whole number from 0 to 65535, but is "80x"',
        '  - DATABASE_URL must be a URL that starts with postgres:// or postgresql://',
        '  - HOLDFAST_POOL_SIZE must be a whole number from 2 to 500, but is "1"',
        '  - AMQP_USER_ORGS must be a JSON object of strings, such as {"oms-acme":"acme"}',
      ].join('\n'),
    );
  });

  it('refuses to give tokens to anyone in production, and a missing or short secret', () => {
    expect(() => loadConfig({ NODE_ENV: 'production', HOLDFAST_AUTH: 'dev' })).toThrow(
      /HOLDFAST_AUTH=dev[^]*HOLDFAST_ACTOR_SECRET is missing[^]*AMQP_USER_ORGS is missing/,
    );
    expect(() => loadConfig({ HOLDFAST_ACTOR_SECRET: 'short' })).toThrow('HOLDFAST_ACTOR_SECRET must have at least 32 characters');
  });

  it('moves the clock for tests, and never in production', () => {
    expect(loadConfig({}).clockOffsetSeconds).toBe(0);
    expect(loadConfig({ HOLDFAST_TEST_CLOCK_OFFSET_SECONDS: '90000' }).clockOffsetSeconds).toBe(90_000);
    expect(() => loadConfig({ NODE_ENV: 'production', HOLDFAST_TEST_CLOCK_OFFSET_SECONDS: '0' })).toThrow(
      'HOLDFAST_TEST_CLOCK_OFFSET_SECONDS moves the clock; it is refused in production',
    );
  });

  it('takes an identity provider', () => {
    const config = loadConfig({
      NODE_ENV: 'production',
      HOLDFAST_ACTOR_SECRET: 'x'.repeat(32),
      HOLDFAST_JWKS_URL: 'https://id.example/keys',
      HOLDFAST_JWT_ISSUER: 'https://id.example',
      HOLDFAST_JWT_AUDIENCE: 'holdfast',
      AMQP_USER_ORGS: '{"oms-acme":"acme"}',
    });
    expect(config.auth).toEqual({
      mode: 'jwks',
      jwksUrl: 'https://id.example/keys',
      issuer: 'https://id.example',
      audience: 'holdfast',
      algorithm: 'RS256',
    });
    expect(config.amqpUserOrgs).toEqual({ 'oms-acme': 'acme' });
  });

  it('takes a mail server only with a sender, and networks that are networks', () => {
    const load = () =>
      loadConfig({
        SMTP_URL: 'http://root:hunter2@mail',
        HOLDFAST_TELEGRAM_API: 'file:///etc',
        HOLDFAST_WEBHOOK_ALLOW: '10.0.0.0/8, localhost',
        HOLDFAST_NOTIFY_RETRY_SECONDS: '1,-2',
      });
    expect(load).toThrow(
      [
        'The configuration is not valid:',
        '  - SMTP_URL must be a URL that starts with smtp:// or smtps://',
        '  - SMTP_FROM is missing: SMTP_URL is set, and every e-mail needs a sender, such as "Holdfast <stock@example.com>"',
        '  - HOLDFAST_NOTIFY_RETRY_SECONDS must be whole numbers of seconds up to 604800 between commas, such as 10,60,300, but is "1,-2"',
        '  - HOLDFAST_TELEGRAM_API must be a URL that starts with https:// or http://',
        '  - HOLDFAST_WEBHOOK_ALLOW must be networks between commas, such as 10.1.0.0/16,127.0.0.1/32, but is "10.0.0.0/8, localhost"',
      ].join('\n'),
    );
    expect(() => loadConfig({ HOLDFAST_WEBHOOK_ALLOW: '10.0.0.0/33' })).toThrow('HOLDFAST_WEBHOOK_ALLOW must be networks');
    expect(loadConfig({ SMTP_URL: 'smtp://mail', SMTP_FROM: 'a@b.example', HOLDFAST_WEBHOOK_ALLOW: '::1/128,10.0.0.0/8' })).toMatchObject({
      notifications: {
        smtpUrl: 'smtp://mail',
        smtpFrom: 'a@b.example',
        telegramApiUrl: 'https://api.telegram.org',
        webhookAllow: ['::1/128', '10.0.0.0/8'],
        retryDelaysMs: [10_000, 60_000, 300_000, 1_800_000, 7_200_000, 21_600_000, 43_200_000],
      },
    });
    expect(loadConfig({}).notifications).toMatchObject({ smtpUrl: null, smtpFrom: null, webhookAllow: [] });
  });

  it('reads a secret from a file', () => {
    const directory = mkdtempSync(join(tmpdir(), 'holdfast-config-'));
    const file = join(directory, 'secret');
    writeFileSync(file, `${'s'.repeat(40)}\n`);
    const variables: Record<string, string | undefined> = { HOLDFAST_ACTOR_SECRET_FILE: file };
    readSecretFiles(variables);
    expect(variables['HOLDFAST_ACTOR_SECRET']).toBe('s'.repeat(40));
    rmSync(directory, { recursive: true });
    expect(() => readSecretFiles(variables)).toThrow('HOLDFAST_ACTOR_SECRET_FILE names');
  });
});
