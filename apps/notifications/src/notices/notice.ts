import type { DataOf, EventDefinition, EventOf, Role } from '#libs/contracts';
import { firstCharacters } from '#libs/domain';

/** What people are told of an event: plain text, whatever it is sent by. Each sender escapes it for its own kind of message. */
export interface Notice {
  /** One line that says what happened to what. */
  readonly title: string;
  readonly lines: readonly string[];
}

/** How people are told of one type of event. */
export interface NoticeKind<D extends EventDefinition = EventDefinition> {
  readonly event: D;
  /** Who must hear of it, beside administrators. */
  readonly roles: (data: DataOf<D>) => readonly Role[];
  /** Whether people need to hear of this one at all. Default: they do. */
  readonly concerns?: (data: DataOf<D>) => boolean;
  /** What of the data programs get by webhook. Default: all. */
  readonly payload?: (data: DataOf<D>) => unknown;
  readonly describe: (data: DataOf<D>, event: EventOf<D>) => Notice;
}

/** Declares how people are told of a type of event; checked against the data of that type. */
export function notice<D extends EventDefinition>(kind: NoticeKind<D>): NoticeKind {
  return kind as unknown as NoticeKind;
}

const LINES_MAX = 20;
const TEXT_LENGTH_MAX = 500;

/** One line per entry, up to a number that people read; the rest is counted. */
export function listed<T>(entries: readonly T[], toLine: (entry: T) => string): string[] {
  const lines = entries.slice(0, LINES_MAX).map(toLine);
  return entries.length > LINES_MAX ? [...lines, `... and ${entries.length - LINES_MAX} more.`] : lines;
}

/** What somebody wrote, on one line and not endless. */
export function quoted(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  const beginning = firstCharacters(line, TEXT_LENGTH_MAX);
  return beginning === line ? line : `${beginning}...`;
}
