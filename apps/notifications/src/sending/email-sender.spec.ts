import { createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import type { SMTPServerOptions } from 'smtp-server';
import { Logger } from '@nestjs/common';
import { Mailbox, TEST_CERTIFICATE } from '#libs/testing';
import { type EmailOptions, EmailSender } from './email-sender.js';
import { aNotice } from './notice.fixture.js';
import { NotSent, type OutgoingNotice } from './sender.js';

const FROM = 'Holdfast <stock@holdfast.example>';
Logger.overrideLogger(false);
const goOn = new AbortController().signal;
const toAnn: OutgoingNotice = { ...aNotice, target: 'ann@example.com', secret: null };

const senders: EmailSender[] = [];
function opened(options: EmailOptions): EmailSender {
  const sender = new EmailSender(options);
  senders.push(sender);
  return sender;
}
const letGo = () => senders.splice(0).forEach((sender) => sender.close());
afterEach(letGo);

async function refusal(sender: EmailSender, notice: OutgoingNotice = toAnn, signal = goOn): Promise<NotSent> {
  const error: unknown = await sender.send(notice, signal).then(
    () => new Error('It was sent.'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof NotSent)) throw error;
  return error;
}

/** The value of a line of the head of a message. */
const head = (raw: string, name: string) =>
  new RegExp(`^${name}: (.*(?:\r\n[ \t].*)*)`, 'mi').exec(raw.split('\r\n\r\n', 1)[0]!)?.[1]?.replace(/\r\n[ \t]/g, ' ');
/** A part of a message, decoded. */
function part(raw: string, type: string): string {
  const [, headers, body] = new RegExp(`(Content-Type: ${type}[^]*?)\r\n\r\n([^]*?)\r\n--[^ ]`).exec(raw)!;
  if (headers!.includes('base64')) return Buffer.from(body!, 'base64').toString();
  const joined = body!.replace(/=\r\n/g, '');
  return Buffer.from(
    joined.replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  ).toString();
}

describe('an e-mail', () => {
  let mailbox: Mailbox;
  let sender: EmailSender;
  beforeEach(async () => {
    mailbox = await Mailbox.open();
    sender = opened({ smtpUrl: `smtp://127.0.0.1:${mailbox.port}`, smtpFrom: FROM });
  });
  afterEach(async () => {
    letGo();
    await mailbox.close();
  });

  it('says in text and HTML what happened, to one receiver, from the operator', async () => {
    await sender.send({ ...toAnn, title: 'Zu wenig Äpfel', lines: ['5 of <b>apple</b> & "pear" left.', 'Second line.'] }, goOn);
    expect(sender.problem).toBeNull();
    const [mail] = mailbox.received;
    expect(mail).toMatchObject({ from: 'stock@holdfast.example', to: ['ann@example.com'] });
    const { raw } = mail!;
    expect(head(raw, 'From')).toBe(FROM);
    expect(head(raw, 'To')).toBe('ann@example.com');
    expect(head(raw, 'Subject')).toBe('=?UTF-8?Q?Zu_wenig_=C3=84pfel?=');
    expect(head(raw, 'Auto-Submitted')).toBe('auto-generated');
    const text = part(raw, 'text/plain');
    expect(text).toContain('5 of <b>apple</b> & "pear" left.');
    expect(text).toContain(`Reference: ${toAnn.deliveryId}`);
    const html = part(raw, 'text/html');
    expect(html).toContain('<p>5 of &lt;b&gt;apple&lt;/b&gt; &amp; &quot;pear&quot; left.</p>');
    expect(html).not.toContain('<b>');
  });

  it('has the same id in each attempt, by which mail programs recognise a repeat', async () => {
    await sender.send(toAnn, goOn);
    await sender.send(toAnn, goOn);
    const ids = mailbox.received.map(({ raw }) => head(raw, 'Message-ID'));
    expect(ids).toEqual([`<${toAnn.deliveryId}@holdfast.example>`, `<${toAnn.deliveryId}@holdfast.example>`]);
  });

  it('gets no further head lines or receivers by what is in an event', async () => {
    await sender.send({ ...toAnn, title: 'Low\r\nBcc: eve@example.com\r\n\r\nHello', eventType: 'X\r\nBcc: eve@example.com' }, goOn);
    const [mail] = mailbox.received;
    expect(mail!.to).toEqual(['ann@example.com']);
    expect(head(mail!.raw, 'Bcc')).toBeUndefined();
  });

  it('that the server refuses for good does not come again; for now, it does', async () => {
    mailbox.refuse = () => ({ code: 550, message: 'No such user here' });
    expect(await refusal(sender)).toMatchObject({ message: 'The mail server refused it: 550 No such user here', isFinal: true });
    mailbox.refuse = () => ({ code: 451, message: 'Try again later' });
    expect(await refusal(sender)).toMatchObject({ message: 'The mail server refused it: 451 Try again later', isFinal: false });
  });

  it('is not sent when the service stops', async () => {
    await expect(refusal(sender, toAnn, AbortSignal.abort())).resolves.toBeInstanceOf(NotSent);
    expect(mailbox.received).toEqual([]);
  });
});

describe('a mail server', () => {
  it('that is not configured is what is said', async () => {
    const sender = opened({ smtpUrl: null, smtpFrom: null });
    const problem = 'No e-mail is sent, because the operator has not set SMTP_URL and SMTP_FROM.';
    expect(sender.problem).toBe(problem);
    expect(await refusal(sender)).toMatchObject({ message: problem, isFinal: false });
  });

  it('that is not there is not named to anybody', async () => {
    const gone = await Mailbox.open();
    const { port } = gone;
    await gone.close();
    const { message, isFinal } = await refusal(opened({ smtpUrl: `smtp://user:hunter2@127.0.0.1:${port}`, smtpFrom: FROM }));
    expect([message, isFinal]).toEqual(['The mail server could not be reached (ECONNREFUSED).', false]);
  });

  it('gets the password over TLS, and not without', async () => {
    const users: unknown[] = [];
    const onAuth: SMTPServerOptions['onAuth'] = (auth, _, done) => {
      users.push([auth.username, auth.password]);
      done(auth.password === 'p@ss' ? null : new Error('Invalid login'), { user: 1 });
    };
    const secure = await Mailbox.open({ ...TEST_CERTIFICATE, disabledCommands: [], authOptional: false, onAuth });
    const url = (password: string) => `smtp://holdfast:${password}@127.0.0.1:${secure.port}?tls.servername=mail.test`;
    // Its certificate is not to be trusted: nothing is sent.
    expect((await refusal(opened({ smtpUrl: url('p%40ss'), smtpFrom: FROM }))).message).toMatch(/^The mail server could not be reached/);
    expect(users).toEqual([]);
    const trusting = (password: string) => opened({ smtpUrl: `${url(password)}&tls.rejectUnauthorized=false`, smtpFrom: FROM });
    await trusting('p%40ss').send(toAnn, goOn);
    expect([users, secure.received.length]).toEqual([[['holdfast', 'p@ss']], 1]);
    const wrong = await refusal(trusting('wrong'));
    expect(wrong).toMatchObject({
      message: 'The mail server does not let Holdfast sign in; the operator has to see to it.',
      isFinal: false,
    });
    letGo();
    await secure.close();

    // A server that cannot encrypt, or somebody who takes that away on the way, does not get to see it.
    const plain = await Mailbox.open({ disabledCommands: ['STARTTLS'], allowInsecureAuth: true, authOptional: false, onAuth });
    users.length = 0;
    expect((await refusal(opened({ smtpUrl: `smtp://holdfast:p%40ss@127.0.0.1:${plain.port}`, smtpFrom: FROM }))).message).toMatch(
      /^The mail server could not be reached/,
    );
    expect(users).toEqual([]);
    await opened({ smtpUrl: `smtp://holdfast:p%40ss@127.0.0.1:${plain.port}?requireTLS=false`, smtpFrom: FROM }).send(toAnn, goOn);
    expect(users).toEqual([['holdfast', 'p@ss']]);
    letGo();
    await plain.close();
  });

  it('that says nothing is left when the service stops', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const stopping = new AbortController();
    setTimeout(() => stopping.abort(), 100);
    const smtpUrl = `smtp://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    await refusal(opened({ smtpUrl, smtpFrom: FROM }), toAnn, stopping.signal);
    await Promise.all(sockets.filter(({ destroyed }) => !destroyed).map((socket) => once(socket, 'close')));
    silent.close();
  });
});
