import { Api, GrammyError } from 'grammy';
import { telegramText } from './message-text.js';
import { NotSent, type OutgoingNotice, type Sender } from './sender.js';

const TIMEOUT_SECONDS = 10;
const TOO_MANY_REQUESTS = 429;
/** The chat is not there, or the bot may not write to it. */
const REFUSED = [400, 403];
/** How Telegram says that there is no such bot. */
const UNKNOWN_BOT = [401, 404];

/** Sends by a bot of the organisation's own. Telegram has no way to recognise a repeat; the text carries a reference. */
export class TelegramSender implements Sender {
  readonly problem = null;
  readonly #apiUrl: string;

  /** @param apiUrl where bots are called, `https://api.telegram.org`. */
  constructor(apiUrl: string) {
    this.#apiUrl = apiUrl.replace(/\/+$/, '');
  }

  async send(notice: OutgoingNotice, stopping: AbortSignal): Promise<void> {
    const api = new Api(notice.secret ?? '', { apiRoot: this.#apiUrl, timeoutSeconds: TIMEOUT_SECONDS });
    const options = { parse_mode: 'HTML', link_preview_options: { is_disabled: true } } as const;
    try {
      await api.sendMessage(notice.target, telegramText(notice), options, stopping as Parameters<typeof api.sendMessage>[3]);
    } catch (error) {
      throw notSent(error);
    }
  }
}

/** What grammY throws for a lost connection carries a URL with the bot's token somewhere inside: nothing of it is kept. */
function notSent(error: unknown): NotSent {
  if (!(error instanceof GrammyError)) return new NotSent(`Telegram could not be reached within ${TIMEOUT_SECONDS} s.`);
  const { error_code: code, description, parameters } = error;
  if (UNKNOWN_BOT.includes(code)) return new NotSent('Telegram knows no bot of this token.');
  const isFinal = REFUSED.includes(code);
  const retryAfterMs = code === TOO_MANY_REQUESTS ? (parameters.retry_after ?? 0) * 1_000 : 0;
  return new NotSent(`Telegram refused it: ${code} ${description}`, { isFinal, retryAfterMs });
}
