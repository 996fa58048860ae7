import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';

/** A request as a {@link Receiver} got it. */
export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

type Answer = (request: ReceivedRequest, response: ServerResponse) => void;

/** A real HTTP server of a test, on a port of its own, that keeps what it gets. */
export class Receiver {
  readonly received: ReceivedRequest[] = [];
  /** How many connections were made to it, whether or not a request followed. */
  connections = 0;
  /** What it does with a request; default: 204. */
  answer: Answer = (_request, response) => response.writeHead(204).end();
  readonly #server: Server;
  readonly #protocol: string;

  private constructor(tls: ServerOptions | undefined) {
    const onRequest = (request: IncomingMessage, response: ServerResponse) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        const got = { method, path: url, headers, body: Buffer.concat(chunks) };
        this.received.push(got);
        this.answer(got, response);
      });
    };
    this.#protocol = tls === undefined ? 'http' : 'https';
    this.#server = tls === undefined ? createServer(onRequest) : createTlsServer(tls, onRequest);
    this.#server.on('connection', () => this.connections++);
    // A test that fails before it closes this must not keep its process.
    this.#server.unref();
  }

  /** @param tls certificate and key; without them it speaks plain HTTP. */
  static async open(tls?: ServerOptions): Promise<Receiver> {
    const receiver = new Receiver(tls);
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Its URL, under another host name if one is given. */
  url(path = '/', host = '127.0.0.1'): string {
    return `${this.#protocol}://${host}:${this.port}${path}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
