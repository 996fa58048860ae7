import type { AddressInfo } from 'node:net';
import type { SMTPServer, SMTPServerOptions } from 'smtp-server';

/** A message as a mail server got it. */
export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  /** Head and body, as they came. */
  readonly raw: string;
}

/** A real mail server of a test, on a port of its own. */
export class Mailbox {
  readonly received: ReceivedMail[] = [];
  /** Says how the next messages are answered; null: they are taken. */
  refuse: ((to: readonly string[]) => { readonly code: number; readonly message: string } | null) | null = null;
  readonly #server: SMTPServer;

  private constructor(Server: typeof SMTPServer, options: SMTPServerOptions) {
    this.#server = new Server({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      logger: false,
      ...options,
      onData: (stream, session, done) => {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => {
          const to = session.envelope.rcptTo.map(({ address }) => address);
          const refusal = this.refuse?.(to) ?? null;
          if (refusal !== null) return done(Object.assign(new Error(refusal.message), { responseCode: refusal.code }));
          const from = session.envelope.mailFrom === false ? '' : session.envelope.mailFrom.address;
          this.received.push({ from, to, raw: Buffer.concat(chunks).toString() });
          done();
        });
      },
    });
    // A test that fails before it closes this must not keep its process.
    this.#server.server.unref();
    // A client that goes away is no failure of the test.
    this.#server.on('error', () => {});
  }

  static async open(options: SMTPServerOptions = {}): Promise<Mailbox> {
    // Loaded here, because most tests need no mail.
    const { SMTPServer: Server } = await import('smtp-server');
    const mailbox = new Mailbox(Server, options);
    await new Promise<void>((resolve) => mailbox.#server.listen(0, '127.0.0.1', resolve));
    return mailbox;
  }

  get port(): number {
    return (this.#server.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
