import type { OutgoingNotice } from './sender.js';

/** Telegram's own limit is 4,096, counted after the entities are read; this leaves room for headline and reference. */
const TELEGRAM_LENGTH_MAX = 3_500;

/** By what people and programs tell one notice that came twice from two. */
const reference = ({ deliveryId }: OutgoingNotice) => `Reference: ${deliveryId}`;

/** As plain text, for e-mail. */
export function plainText(notice: OutgoingNotice): string {
  return [...notice.lines, '', '-- ', `Holdfast, organisation ${notice.orgId}`, reference(notice), ''].join('\n');
}

/** As HTML, for e-mail. */
export function htmlText(notice: OutgoingNotice): string {
  const lines = notice.lines.map((line) => `<p>${escapeHtml(line)}</p>`).join('\n');
  const footer = `Holdfast, organisation ${escapeHtml(notice.orgId)}<br>${escapeHtml(reference(notice))}`;
  return `<!doctype html>\n<html lang="en"><body>\n<h3>${escapeHtml(notice.title)}</h3>\n${lines}\n<p><small>${footer}</small></p>\n</body></html>\n`;
}

/** As the HTML that Telegram understands. */
export function telegramText(notice: OutgoingNotice): string {
  const text: string[] = [];
  let length = 0;
  for (const line of notice.lines) {
    length += line.length + 1;
    if (length > TELEGRAM_LENGTH_MAX) {
      text.push('...');
      break;
    }
    text.push(escapeHtml(line));
  }
  return [`<b>${escapeHtml(notice.title)}</b>`, ...text, `<i>${escapeHtml(reference(notice))}</i>`].join('\n');
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}
