import type { LoggerService } from '@nestjs/common';
import { type DestinationStream, type Level, type Logger, pino } from 'pino';
import { currentLogContext } from './log-context.js';

/** Which lines are written, and how. */
export interface LoggerOptions {
  readonly service: string;
  readonly level: string;
  /** `pretty` for a person at a terminal, `json` (one object per line) for everything else. */
  readonly format: 'pretty' | 'json';
  /** Where lines go; standard output unless said. */
  readonly destination?: DestinationStream;
}

/** `LOG_FORMAT` decides; without it a terminal gets lines for people. */
export function logFormat(environment: Readonly<Record<string, string | undefined>> = process.env): 'pretty' | 'json' {
  const said = environment['LOG_FORMAT'];
  if (said === 'pretty' || said === 'json') return said;
  return process.stdout.isTTY ? 'pretty' : 'json';
}

/** Makes the logger of a process: structured, each line with the service and the context of the message it belongs to. */
export async function createLogger(options: LoggerOptions): Promise<Logger> {
  const destination = options.destination ?? (options.format === 'pretty' ? await prettyStream() : pino.destination(1));
  return pino(
    {
      level: options.level,
      base: { service: options.service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      mixin: () => ({ ...currentLogContext() }),
    },
    destination,
  );
}

async function prettyStream(): Promise<DestinationStream> {
  // Loaded only where somebody looks: it costs a tenth of a second at start.
  const { PinoPretty } = await import('pino-pretty');
  return PinoPretty({
    colorize: process.stdout.isTTY || process.env['FORCE_COLOR'] !== undefined,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'service,logger',
    messageFormat: '{if logger}[{logger}] {end}{msg}',
    sync: true,
  });
}

/** Who tells of each module and route at start: worth reading for whoever looks for a defect, not for whoever starts. */
const STARTUP_LOGGERS = new Set([
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestApplication',
  'NestMicroservice',
  'TypeOrmModule',
]);

/**
 * Hands what Nest and our own `new Logger('Relay')` log over to pino. Nest puts the logger's name last, and for errors the stack
 * before it.
 */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...rest: unknown[]): void {
    const logger = rest.at(-1);
    this.write(typeof logger === 'string' && STARTUP_LOGGERS.has(logger) ? 'debug' : 'info', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  private write(level: Level, message: unknown, rest: readonly unknown[]): void {
    const fields: Record<string, unknown> = {};
    const last = rest.at(-1);
    const details = typeof last === 'string' ? rest.slice(0, -1) : rest;
    if (typeof last === 'string') fields['logger'] = last;
    for (const detail of details) {
      if (detail instanceof Error) fields['err'] = detail;
      else if (typeof detail === 'string') fields['stack'] = detail;
      else if (typeof detail === 'object' && detail !== null) Object.assign(fields, detail);
    }
    if (message instanceof Error) this.logger[level]({ ...fields, err: message }, message.message);
    else if (typeof message === 'object' && message !== null) this.logger[level]({ ...fields, ...message });
    else this.logger[level](fields, String(message));
  }
}
