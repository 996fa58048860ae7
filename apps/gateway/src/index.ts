import helmet from '@fastify/helmet';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Service } from '#libs/service';
import { GatewayModule } from './gateway.module.js';
import { BODY_BYTES_MAX, readJsonBodies } from './http/json-body.js';
import { measureRequests } from './http/observe-requests.js';
import { serveDescriptions } from './http/openapi.js';
import { frameworkErrors } from './http/problem.filter.js';
import { readUploads } from './http/upload.js';

export { issueDevelopmentToken } from './auth/access-tokens.js';
export { GatewayModule } from './gateway.module.js';

/** Ids of 64 characters, each of which may come as `%3A`. */
const PARAMETER_LENGTH_MAX = 192 + 8;

/** The HTTP API in front of all services. */
export const gateway: Service = {
  service: 'gateway',
  module: GatewayModule,
  http: {
    fastify: { bodyLimit: BODY_BYTES_MAX, frameworkErrors, routerOptions: { maxParamLength: PARAMETER_LENGTH_MAX } },
    configure: configureHttp,
  },
};

async function configureHttp(app: NestFastifyApplication): Promise<void> {
  app.setGlobalPrefix('api/v1');
  readJsonBodies(app);
  readUploads(app);
  await app.register(helmet, {
    // The documentation page has its start in an inline script, and is read without TLS on one's own machine; everything else answers
    // data.
    contentSecurityPolicy: { directives: { 'script-src': ["'self'", "'unsafe-inline'"], 'upgrade-insecure-requests': null } },
  });
  measureRequests(app);
  serveDescriptions(app);
}
