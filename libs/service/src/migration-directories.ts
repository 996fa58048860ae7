import { join } from 'node:path';
import type { ServiceName } from '#libs/contracts';

/** The folder with `apps/` and `libs/`: the repository for sources, `dist/` for what is built. */
const ROOT = join(import.meta.dirname, '../../..');

/** Where the migrations of a service are: first what every service has for its messages, then its own. */
export function migrationDirectories(service: ServiceName): readonly string[] {
  return [join(ROOT, 'libs/messaging/migrations'), join(ROOT, 'apps', service, 'src/migrations')];
}
