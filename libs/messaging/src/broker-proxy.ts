import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

const FRAME_HEADER_BYTES = 7;
const FRAME_END = 0xce;
const METHOD_FRAME = 1;
const CONNECTION_CLASS = 10;
const OPEN_OK = (CONNECTION_CLASS << 16) | 41;

/**
 * Stands between a test and the broker and does what networks and brokers do: cuts connections, falls silent, closes them, reports that
 * it is blocked. For the client alone; the broker and everybody else on it notice nothing.
 */
export class BrokerProxy {
  readonly #pairs = new Set<{ client: Socket; broker: Socket }>();
  readonly #server: Server;
  readonly #target: URL;
  readonly #port: number;
  #silent = false;
  #silentWhenOpen = false;

  private constructor(server: Server, target: URL) {
    this.#server = server;
    this.#target = target;
    this.#port = (server.address() as AddressInfo).port;
    server.on('connection', (client) => this.#join(client));
  }

  /** On a free port unless one is given. */
  static async start(brokerUrl: string, port = 0): Promise<BrokerProxy> {
    const server = createServer();
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return new BrokerProxy(server, new URL(brokerUrl));
  }

  /** The broker's URL, by way of this proxy. */
  get url(): string {
    const url = new URL(this.#target);
    url.hostname = '127.0.0.1';
    url.port = String(this.#port);
    return url.href;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  /** Cuts all connections, as if a cable were pulled and put back. */
  cut(): void {
    for (const { client, broker } of this.#pairs) {
      client.destroy();
      broker.destroy();
    }
  }

  /** From now on nothing that the broker says gets through, until {@link BrokerProxy.resume}. */
  fallSilent(): void {
    this.#silent = true;
    for (const { broker } of this.#pairs) broker.pause();
  }

  /** As {@link BrokerProxy.fallSilent}, on connections made from now on, once their handshake is over. */
  fallSilentWhenOpen(): void {
    this.#silentWhenOpen = true;
  }

  resume(): void {
    this.#silent = this.#silentWhenOpen = false;
    for (const { broker } of this.#pairs) broker.resume();
  }

  /** As a broker says when it is short of memory or disk. */
  block(reason: string): void {
    this.#say(60, Buffer.concat([Buffer.from([reason.length]), Buffer.from(reason)]));
  }

  unblock(): void {
    this.#say(61, Buffer.alloc(0));
  }

  /** As a broker says when an operator closes a connection. */
  closeConnections(): void {
    const reason = Buffer.from('CONNECTION_FORCED - maintenance');
    this.#say(50, Buffer.concat([Buffer.from([320 >> 8, 320 & 0xff, reason.length]), reason, Buffer.alloc(4)]));
  }

  /** A proxy on the same port, after {@link BrokerProxy.stop}. */
  async restart(): Promise<BrokerProxy> {
    return await BrokerProxy.start(this.#target.href, this.#port);
  }

  async stop(): Promise<void> {
    this.cut();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket): void {
    const broker = connect({ host: this.#target.hostname, port: Number(this.#target.port || 5672) });
    const pair = { client, broker };
    this.#pairs.add(pair);
    if (this.#silent) broker.pause();
    let rest: Buffer = Buffer.alloc(0);
    broker.on('data', (chunk: Buffer) => {
      // Whole frames only, so that a frame of the proxy's own fits between two.
      const bytes = Buffer.concat([rest, chunk]);
      let end = 0;
      while (bytes.length >= end + FRAME_HEADER_BYTES) {
        const next = end + FRAME_HEADER_BYTES + bytes.readUInt32BE(end + 3) + 1;
        if (next > bytes.length) break;
        const isOpenOk = bytes.readUInt8(end) === METHOD_FRAME && bytes.readUInt32BE(end + FRAME_HEADER_BYTES) === OPEN_OK;
        end = next;
        if (isOpenOk && this.#silentWhenOpen) broker.pause();
      }
      client.write(bytes.subarray(0, end));
      rest = bytes.subarray(end);
    });
    client.pipe(broker);
    for (const socket of [client, broker]) {
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#pairs.delete(pair);
        client.destroy();
        broker.destroy();
      });
    }
  }

  #say(method: number, content: Buffer): void {
    const payload = Buffer.concat([Buffer.from([0, CONNECTION_CLASS, 0, method]), content]);
    const header = Buffer.alloc(FRAME_HEADER_BYTES);
    header.writeUInt8(METHOD_FRAME);
    header.writeUInt32BE(payload.length, 3);
    for (const { client } of this.#pairs) client.write(Buffer.concat([header, payload, Buffer.from([FRAME_END])]));
  }
}
