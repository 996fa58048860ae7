const PARENT_POLL_MS = 500;

/**
 * Runs `end` once, at the first of SIGTERM, SIGINT, SIGHUP, and the loss of the process that started this one (when it was started
 * with a channel), and then ends the process: with exit code 0, or 1 when `end` failed or did not end in time. A second signal ends it at once.
 *
 * @param timeoutMs how long `end` may take.
 * @param end finishes and closes everything.
 * @param tell says to a person what is going on.
 */
export function endsOnSignal(timeoutMs: number, end: () => Promise<void>, tell: (line: string) => void): void {
  let ending = false;
  const begin = (why: string) => {
    if (ending) {
      // Who presses Ctrl-C twice does not want to wait.
      if (why.startsWith('SIG')) process.exit(130);
      return;
    }
    ending = true;
    tell(`Ending (${why}): finishing what was begun`);
    setTimeout(() => {
      tell(`Did not end within ${timeoutMs} ms`);
      process.exit(1);
    }, timeoutMs).unref();
    end().then(
      () => process.exit(0),
      (error: unknown) => {
        tell(`Could not end cleanly: ${String(error)}`);
        process.exit(1);
      },
    );
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, begin);
  process.once('disconnect', () => begin('the parent process is gone'));
  // npm passes SIGTERM to the shell that it runs a script with, and the shell to nobody.
  if (process.env['npm_lifecycle_event'] !== undefined) onParentGone(() => begin('npm is gone'));
}

function onParentGone(then: () => void): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) then();
  }, PARENT_POLL_MS).unref();
}
