/**
 * The beginning of a text that people wrote: at most so many characters, counted as people count, so that no emoji is cut in halves, which
 * PostgreSQL and the schemas of messages refuse.
 */
export function firstCharacters(text: string, charactersMax: number): string {
  // A character has two units at most.
  return text.length <= charactersMax
    ? text
    : Array.from(text.slice(0, 2 * charactersMax))
        .slice(0, charactersMax)
        .join('');
}

const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g;

/** What came from outside unchecked, as far as it can be kept: what PostgreSQL refuses to store is replaced, what is too long is cut. */
export function storableText(text: string, charactersMax: number): string {
  return firstCharacters(text.toWellFormed().replaceAll(CONTROL, '\u{fffd}'), charactersMax);
}
