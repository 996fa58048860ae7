import { invalid } from '#libs/domain';

/** The version that `If-Match` asks for: `3`, `"3"` or `W/"3"`; `*` and none ask for none. */
export function ifVersion(ifMatch: string | undefined): { ifVersion?: number } {
  if (ifMatch === undefined || ifMatch.trim() === '*') return {};
  const version = /^\s*(?:W\/)?("?)(\d{1,9})\1\s*$/.exec(ifMatch)?.[2];
  if (version === undefined) throw invalid('If-Match is not valid.', [{ path: 'If-Match', message: 'must be a version such as "3"' }]);
  return { ifVersion: Number(version) };
}
