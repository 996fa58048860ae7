import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { asyncApi } from '#libs/contracts';

const DESCRIPTION = `Keeps the promise between orders and stock.

Quantities and money are decimal strings with at most 4 decimals; numbers of up to 15 significant digits are taken too.
Errors are \`application/problem+json\` with a stable \`code\`. Lists take \`cursor\` and \`limit\` and answer \`nextCursor\`.
Events and calls over the message broker are described at [/api/asyncapi.json](/api/asyncapi.json).`;

const problem = {
  type: 'object' as const,
  required: ['type', 'title', 'status', 'code', 'detail', 'instance'],
  properties: {
    type: { type: 'string' as const },
    title: { type: 'string' as const },
    status: { type: 'integer' as const },
    code: { type: 'string' as const, description: 'For programs; stable.' },
    detail: { type: 'string' as const, description: 'For people.' },
    instance: { type: 'string' as const },
    errors: {
      type: 'array' as const,
      items: { type: 'object' as const, properties: { path: { type: 'string' as const }, message: { type: 'string' as const } } },
    },
  },
  additionalProperties: true,
  example: {
    type: 'urn:holdfast:problem:validation-failed',
    title: 'Validation failed',
    status: 400,
    code: 'VALIDATION_FAILED',
    detail: 'The body is not valid.',
    instance: '/api/v1/orders',
    errors: [{ path: 'lines.0.quantity', message: 'must be greater than zero' }],
  },
};

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header' as const,
  required: false,
  description: 'A repeat with the same key and body within 24 hours has no second effect and gets the same answer.',
  schema: { type: 'string' as const, maxLength: 255 },
};

/** Describes the HTTP API, read off the controllers. */
export function openApi(app: NestFastifyApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('Holdfast')
    .setDescription(DESCRIPTION)
    .setVersion('1')
    .addBearerAuth()
    .addApiKey({ type: 'apiKey', in: 'header', name: 'X-Api-Key' }, 'apiKey')
    .build();
  const document = SwaggerModule.createDocument(app, config, {
    operationIdFactory: (controller, method) => `${controller.replace('Controller', '')}.${method}`,
  });
  document.components = { ...document.components, schemas: { ...document.components?.schemas, Problem: problem } };
  for (const path of Object.values(document.paths)) {
    for (const operation of [path.post, path.put]) {
      if (operation?.security) operation.parameters = [...(operation.parameters ?? []), idempotencyKey];
    }
  }
  return document;
}

/** Serves `/api/openapi.json`, `/api/docs` and `/api/asyncapi.json`; made when first asked for, so that a start is not slower for it. */
export function serveDescriptions(app: NestFastifyApplication): void {
  SwaggerModule.setup('api/docs', app, () => openApi(app), {
    jsonDocumentUrl: 'api/openapi.json',
    raw: ['json'],
    customSiteTitle: 'Holdfast',
  });
  let events: object | undefined;
  app
    .getHttpAdapter()
    .getInstance()
    .get('/api/asyncapi.json', (_request, reply) => reply.send((events ??= asyncApi())));
}
