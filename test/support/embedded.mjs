// All services in one process with messages handed over in process, as `npm start` runs them, but on a database that is there already, so
// that a test can kill it often and look at what is left. From dist/, so plain JavaScript.
import { services } from '../../dist/apps/standalone/src/services.js';
import { InProcessDelivery } from '../../dist/libs/messaging/src/index.js';
import { endsOnSignal, loadConfig, startService } from '../../dist/libs/service/src/index.js';

const config = loadConfig();
const options = { config, delivery: new InProcessDelivery(), logger: false };
const running = [];
for (const service of services) {
  running.push(await startService(service, { ...options, port: service === services.at(-1) ? config.port : null }));
}
const end = async () => {
  for (const service of running.reverse()) await service.close();
  await options.delivery.close();
};
endsOnSignal(config.drainTimeoutMs, end, () => {});
process.send({ ready: running.at(-1).url });
