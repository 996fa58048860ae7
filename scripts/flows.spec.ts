import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { type CalledService, findCall, findEvent, type ServiceName } from '#libs/contracts';
import { GatewayModule } from '../apps/gateway/src/gateway.module.js';

// docs/flows.md names paths, calls and events; they must exist, and go from and to where the arrows say.

interface Arrow {
  readonly to: string;
  readonly kind: 'call' | 'event';
  readonly text: string;
}

const text = readFileSync(join(import.meta.dirname, '../docs/flows.md'), 'utf8');
const flows = [...text.matchAll(/^## (.+)\n[^]*?^```mermaid\nsequenceDiagram\n([^]*?)^```/gm)].map(([, title, diagram]) => ({
  title: title!,
  diagram: diagram!,
  arrows: [...diagram!.matchAll(/^ *(\w+)(->>|-\))(\w+): (.*)$/gm)].flatMap(([, from, arrow, to, said]): Arrow[] =>
    from === to ? [] : [{ to: to!, kind: arrow === '-)' ? 'event' : 'call', text: said! }],
  ),
}));

/** Words like StockReserved. */
const eventsIn = (said: string) => said.match(/\b(?:[A-Z][a-z]+){2,}\b/g) ?? [];
/** Words like stock.demand. */
const patternsIn = (said: string) => said.match(/\b[a-z-]+\.[a-z-]+\b/g) ?? [];

function routesOfGateway(): Set<string> {
  const controllers = Reflect.getMetadata('controllers', GatewayModule) as (new () => object)[];
  const routes = controllers.flatMap((controller) => {
    const prefix = Reflect.getMetadata(PATH_METADATA, controller) as string;
    return Object.getOwnPropertyNames(controller.prototype).flatMap((name) => {
      const handler = (controller.prototype as Record<string, unknown>)[name] as object;
      const path = Reflect.getMetadata(PATH_METADATA, handler) as string | undefined;
      if (path === undefined || name === 'constructor') return [];
      const method = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod];
      return `${method} /${[prefix, path].flatMap((part) => part.split('/').filter((step) => step !== '')).join('/')}`;
    });
  });
  return new Set(routes.map((route) => route.replace(/:(\w+)/g, '{$1}')));
}

it('shows order, approval, pick, ship, return, transfer and count', () => {
  expect(flows.map(({ title }) => title)).toEqual([
    'Order',
    'Order that waits for an approval',
    'Pick',
    'Ship',
    'Return',
    'Transfer',
    'Count',
  ]);
  for (const { arrows } of flows) expect(arrows.length).toBeGreaterThan(2);
});

it.each(flows)('$title: paths, calls and events are those of the code', ({ diagram, arrows }) => {
  const routes = routesOfGateway();
  const wrong = arrows.flatMap(({ to, kind, text: said }) => {
    if (kind === 'event') {
      const events = eventsIn(said);
      const isHeard = (type: string) => findEvent(type)?.consumers.includes(to as ServiceName) === true;
      return events.length > 0 ? events.filter((type) => !isHeard(type)) : [said];
    }
    if (to === 'gateway') return routes.has(said) ? [] : [said];
    const patterns = patternsIn(said);
    return patterns.length > 0 ? patterns.filter((pattern) => findCall(to as CalledService, pattern) === undefined) : [said];
  });
  expect(wrong).toEqual([]);
  expect(eventsIn(diagram).filter((type) => findEvent(type) === undefined)).toEqual([]);
  // A semicolon ends a statement there.
  expect(diagram).not.toContain(';');
});
