import { Logger } from '@nestjs/common';
import { createTransport, type NodemailerError, type Transporter } from 'nodemailer';
import { storableText } from '#libs/domain';
import { htmlText, plainText } from './message-text.js';
import { codeText, NotSent, type OutgoingNotice, type Sender } from './sender.js';

export interface EmailOptions {
  /** `smtp://user:password@host:587`, or `smtps://`; null: nothing is sent. */
  readonly smtpUrl: string | null;
  /** `Holdfast <stock@example.com>` */
  readonly smtpFrom: string | null;
}

const CONNECTIONS_MAX = 5;
const STEP_TIMEOUT_MS = 10_000;
/** Also of waiting for one of the connections. */
const TIMEOUT_MS = 30_000;
const RESPONSE_LENGTH_MAX = 300;

/** Sends by the operator's mail server, over a few connections: mail servers refuse many of one sender. */
export class EmailSender implements Sender {
  readonly problem: string | null;
  readonly #logger = new Logger(EmailSender.name);
  readonly #from: string;
  readonly #transport: Transporter | undefined;

  constructor({ smtpUrl, smtpFrom }: EmailOptions) {
    this.#from = smtpFrom ?? '';
    this.problem = smtpUrl === null ? 'No e-mail is sent, because the operator has not set SMTP_URL and SMTP_FROM.' : null;
    this.#transport = smtpUrl === null ? undefined : createTransport(transportOptions(smtpUrl));
  }

  async send(notice: OutgoingNotice, stopping: AbortSignal): Promise<void> {
    if (this.#transport === undefined) throw new NotSent(this.problem!);
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    try {
      await this.#transport.sendMail({
        from: this.#from,
        to: { name: '', address: notice.target },
        subject: notice.title,
        text: plainText(notice),
        html: htmlText(notice),
        // The same in each attempt, by which servers and mail programs recognise a repeat.
        messageId: `<${notice.deliveryId}@${domainOf(this.#from)}>`,
        date: notice.occurredAt,
        // Nobody's absence note comes back.
        headers: { 'Auto-Submitted': 'auto-generated', 'X-Holdfast-Event': notice.eventType },
        signal: AbortSignal.any([stopping, timeout]),
      });
    } catch (error) {
      if (timeout.aborted) throw new NotSent(`The mail server did not take it within ${TIMEOUT_MS / 1_000} s.`, { cause: error });
      throw this.#notSent(error as NodemailerError);
    }
  }

  close(): void {
    this.#transport?.close();
  }

  /** What is about the message, its receiver's administrator may read; what is about the mail server, only the operator. */
  #notSent(error: NodemailerError): NotSent {
    const { code, originalCode = code, response, permanent = false } = error;
    if ((code === 'EENVELOPE' || code === 'EMESSAGE') && response !== undefined) {
      const text = storableText(response.replace(/\s+/g, ' '), RESPONSE_LENGTH_MAX);
      return new NotSent(`The mail server refused it: ${text}`, { isFinal: permanent, cause: error });
    }
    this.#logger.warn(`The mail server cannot be used: ${error.message}`);
    if (code === 'EAUTH')
      return new NotSent('The mail server does not let Holdfast sign in; the operator has to see to it.', { cause: error });
    return new NotSent(`The mail server could not be reached${codeText({ code: originalCode })}.`, { cause: error });
  }
}

function transportOptions(smtpUrl: string) {
  const url = new URL(smtpUrl);
  return {
    url: smtpUrl,
    pool: true as const,
    maxConnections: CONNECTIONS_MAX,
    idleTimeout: STEP_TIMEOUT_MS / 2,
    // What was lost with a connection may have been taken: whether to send it again is decided with the other attempts.
    maxRequeues: 0,
    // A password is not sent before the connection is encrypted, unless the URL says so.
    requireTLS: url.protocol === 'smtp:' && url.username !== '' && !url.searchParams.has('requireTLS'),
    connectionTimeout: STEP_TIMEOUT_MS,
    greetingTimeout: STEP_TIMEOUT_MS,
    socketTimeout: STEP_TIMEOUT_MS,
    dnsTimeout: STEP_TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

/** `stock@example.com` and `Holdfast <stock@example.com>` are of `example.com`. */
function domainOf(from: string): string {
  return /@([^\s@<>]+)>?\s*$/.exec(from)?.[1] ?? 'holdfast.invalid';
}
