import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import { IMPORT_BYTES_MAX } from '#libs/contracts';
import { HoldfastError } from '#libs/domain';

const CSV = 'text/csv';
/** A body of which nothing comes for so long is given up. */
const SILENCE_MAX_MS = 30_000;

/** Marks a route whose body is a CSV file, handed over as an {@link Upload}; every other body is refused. */
export const TakesCsv = () => RouteConfig({ takesCsv: true });

/** Hands CSV over as it comes, to the routes that take it. */
export function readUploads(app: NestFastifyApplication): void {
  const server = app.getHttpAdapter().getInstance();
  // Before anything of the body is read, or refused by the parsers of others.
  server.addHook('preParsing', (request, _reply, _payload, done) => {
    const error = takesCsv(request) ? refusal(request) : null;
    if (error !== null) new Upload(request.raw).discard();
    done(error);
  });
  server.addContentTypeParser(CSV, (request, payload, done) => {
    if (takesCsv(request)) done(null, new Upload(payload));
    else if (request.is404) done(null);
    else done(new HoldfastError('invalid', 'MALFORMED_REQUEST', 'The body must be JSON, with Content-Type: application/json.'));
  });
}

/**
 * A body that is read piece by piece, and never held as a whole. Whoever reads it slowly slows the sender down.
 */
export class Upload {
  readonly #hash = createHash('sha256');
  #bytes = 0;
  #isOver = false;

  constructor(private readonly stream: IncomingMessage) {
    // A sender that goes away is noticed by whoever reads.
    stream.on('error', () => {});
  }

  /** SHA-256 of what was read. */
  get digest(): Buffer {
    return this.#hash.copy().digest();
  }

  /**
   * The body in parts of one size; the last may be shorter, or empty when there is no body.
   *
   * @throws {HoldfastError} `BODY_TOO_LARGE`; `MALFORMED_REQUEST` when it ends before its end, or nothing comes any more.
   */
  async *parts(partBytes: number): AsyncGenerator<{ readonly bytes: Buffer; readonly last: boolean }> {
    let pieces: Buffer[] = [];
    let held = 0;
    for await (const piece of this.#pieces()) {
      pieces.push(piece);
      held += piece.length;
      // One byte more than a part is kept back, so that the last is known when it goes.
      if (held <= partBytes) continue;
      let rest = Buffer.concat(pieces, held);
      for (; rest.length > partBytes; rest = rest.subarray(partBytes)) yield { bytes: rest.subarray(0, partBytes), last: false };
      [pieces, held] = [[rest], rest.length];
    }
    yield { bytes: Buffer.concat(pieces, held), last: true };
  }

  /** Reads to the end, for the digest. */
  async drain(): Promise<void> {
    for await (const _ of this.#pieces());
  }

  /**
   * Takes what is still to come and forgets it: a sender that is cut off before it has sent everything may not see why it was refused.
   * Nobody may go on for ever.
   */
  discard(): void {
    if (this.#isOver || this.stream.destroyed || this.stream.readableEnded) return;
    this.#isOver = true;
    const late = setTimeout(() => this.stream.destroy(), SILENCE_MAX_MS);
    late.unref();
    this.stream.on('close', () => clearTimeout(late));
    this.stream.on('data', (piece: Buffer) => {
      this.#bytes += piece.length;
      if (this.#bytes > 2 * IMPORT_BYTES_MAX) this.stream.destroy();
    });
    this.stream.resume();
  }

  async *#pieces(): AsyncGenerator<Buffer> {
    const silence = setTimeout(() => this.stream.destroy(), SILENCE_MAX_MS);
    silence.unref();
    try {
      // Left as it is when somebody stops reading: destroyed it would take the connection, and with it the answer, along.
      for await (const piece of this.stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        silence.refresh();
        this.#bytes += piece.length;
        if (this.#bytes > IMPORT_BYTES_MAX) throw tooLarge();
        this.#hash.update(piece);
        yield piece;
        silence.refresh();
      }
    } catch (error) {
      if (error instanceof HoldfastError) throw error;
      throw new HoldfastError('invalid', 'MALFORMED_REQUEST', 'The body ended before it was complete.', {}, { cause: error });
    } finally {
      clearTimeout(silence);
    }
    if (!this.stream.complete) throw new HoldfastError('invalid', 'MALFORMED_REQUEST', 'The body ended before it was complete.');
    this.#isOver = true;
  }
}

function takesCsv(request: FastifyRequest): boolean {
  return (request.routeOptions.config as { takesCsv?: boolean } | undefined)?.takesCsv === true;
}

/** Why a file is refused before it is read. */
function refusal({ headers }: FastifyRequest): HoldfastError | null {
  const [type, ...parameters] = (headers['content-type'] ?? '')
    .toLowerCase()
    .split(';')
    .map((word) => word.trim());
  const charset = parameters
    .find((parameter) => parameter.startsWith('charset='))
    ?.slice('charset='.length)
    .replaceAll('"', '');
  const encoding = headers['content-encoding'] ?? 'identity';
  if (type !== CSV) return unsupported(`This takes a CSV file with Content-Type: ${CSV}.`);
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8') return unsupported(`The file must be in UTF-8, not ${charset}.`);
  if (encoding !== 'identity') return unsupported('The file must not be compressed.');
  return Number(headers['content-length'] ?? 0) > IMPORT_BYTES_MAX ? tooLarge() : null;
}

const unsupported = (message: string) => new HoldfastError('invalid', 'UNSUPPORTED_MEDIA_TYPE', message);

function tooLarge(): HoldfastError {
  const megabytes = IMPORT_BYTES_MAX / 1_048_576;
  return new HoldfastError('invalid', 'BODY_TOO_LARGE', `The file is larger than ${megabytes} MiB. Send it in several imports.`);
}
