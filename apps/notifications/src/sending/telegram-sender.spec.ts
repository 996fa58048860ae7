import { inspect } from 'node:util';
import { Receiver } from '#libs/testing';
import { aNotice } from './notice.fixture.js';
import { NotSent, type OutgoingNotice } from './sender.js';
import { TelegramSender } from './telegram-sender.js';

const TOKEN = '123456:ABCdefGHIjklMNOpqrSTUvwx-_1234';
const goOn = new AbortController().signal;
const toChat: OutgoingNotice = { ...aNotice, target: '-1001234567890', secret: TOKEN };

let telegram: Receiver;
let sender: TelegramSender;
beforeEach(async () => {
  telegram = await Receiver.open();
  sender = new TelegramSender(`${telegram.url()}/`);
});
afterEach(() => telegram.close());

/** What Telegram answers. */
const answers = (body: object, status = 200) =>
  (telegram.answer = (_, response) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)));
const takesIt = () => answers({ ok: true, result: { message_id: 1, date: 1, chat: { id: -1, type: 'group' } } });

async function refusal(from = sender): Promise<NotSent> {
  const error: unknown = await from.send(toChat, goOn).then(
    () => new Error('It was sent.'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof NotSent)) throw error;
  return error;
}

describe('a Telegram message', () => {
  it('is sent by the bot of the channel, escaped, with a reference', async () => {
    takesIt();
    await sender.send({ ...toChat, title: 'Low: <apple> & co', lines: ['5 of "a" left.', '<script>'] }, goOn);
    const [request] = telegram.received;
    expect(request).toMatchObject({ method: 'POST', path: `/bot${TOKEN}/sendMessage` });
    expect(JSON.parse(request!.body.toString())).toEqual({
      chat_id: '-1001234567890',
      text: `<b>Low: &lt;apple&gt; &amp; co</b>\n5 of &quot;a&quot; left.\n&lt;script&gt;\n<i>Reference: ${toChat.deliveryId}</i>`,
      parse_mode: 'HTML',
      link_preview_options: { is_disabled: true },
    });
  });

  it('is not longer than Telegram takes', async () => {
    takesIt();
    const lines = Array.from({ length: 100 }, (_, line) => `${line}`.padEnd(500, '<'));
    await sender.send({ ...toChat, lines }, goOn);
    const { text } = JSON.parse(telegram.received[0]!.body.toString()) as { text: string };
    const shown = text.replace(/<\/?[bi]>/g, '').replace(/&\w+;|&#\d+;/g, '.');
    expect(shown.length).toBeLessThanOrEqual(4_096);
    expect(text).toContain('\n...\n');
  });

  it.each([
    [400, 'Bad Request: chat not found', 'Telegram refused it: 400 Bad Request: chat not found', true],
    [403, 'Forbidden: bot was kicked from the group chat', 'Telegram refused it: 403 Forbidden: bot was kicked from the group chat', true],
    [401, 'Unauthorized', 'Telegram knows no bot of this token.', false],
    [404, 'Not Found', 'Telegram knows no bot of this token.', false],
    [500, 'Internal Server Error', 'Telegram refused it: 500 Internal Server Error', false],
  ])('that is refused with %i says why', async (status, description, message, isFinal) => {
    answers({ ok: false, error_code: status, description }, status);
    expect(await refusal()).toMatchObject({ message, isFinal });
  });

  it('comes again when Telegram says', async () => {
    const parameters = { retry_after: 35 };
    answers({ ok: false, error_code: 429, description: 'Too Many Requests: retry after 35', parameters }, 429);
    expect(await refusal()).toMatchObject({ isFinal: false, retryAfterMs: 35_000 });
  });

  it('that cannot be sent tells nobody the token of the bot', async () => {
    telegram.answer = (_, response) => response.destroy();
    const lost = await refusal();
    telegram.answer = (_, response) => response.writeHead(502).end('<html>Bad gateway</html>');
    const broken = await refusal();
    const { port } = telegram;
    await telegram.close();
    const gone = await refusal(new TelegramSender(`http://127.0.0.1:${port}`));
    telegram = await Receiver.open();
    for (const error of [lost, broken, gone]) {
      expect(error).toMatchObject({ message: expect.stringContaining('Telegram could not be reached'), isFinal: false });
      expect(inspect(error, { depth: null, showHidden: true })).not.toContain(TOKEN);
    }
  });

  it('is not waited for when the service stops', async () => {
    telegram.answer = () => {};
    const stopping = new AbortController();
    setTimeout(() => stopping.abort(), 50);
    await expect(sender.send(toChat, stopping.signal)).rejects.toBeInstanceOf(NotSent);
  });
});
