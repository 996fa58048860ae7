import { createServer } from 'node:net';
import { type Config, explainStartupFailure, StartupError } from '#libs/service';

/**
 * Says that the port of the HTTP API is taken, before databases and services are started for nothing.
 *
 * @throws {StartupError}
 */
export async function refuseTakenPort({ host, port }: Pick<Config, 'host' | 'port'>): Promise<void> {
  const server = createServer();
  await new Promise<void>((done, fail) => server.once('error', fail).listen(port, host, done)).catch((error: unknown) => {
    throw new StartupError(explainStartupFailure(error), { cause: error });
  });
  await new Promise((done) => server.close(done));
}
