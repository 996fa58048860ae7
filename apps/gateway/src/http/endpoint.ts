import 'reflect-metadata';
import { applyDecorators, HttpCode, SetMetadata } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { ApiBearerAuth, ApiOperation, ApiQuery, ApiResponse, ApiSecurity } from '@nestjs/swagger';
import type { CallDefinition, Role } from '#libs/contracts';
import { exampleSchema } from './example-schema.js';

/** What guards and interceptors know of a route. A route that says nothing of this is refused. */
export interface Endpoint {
  /** Who may ask; `public`: without signing in. */
  readonly allow: readonly Role[] | 'public';
  readonly effect: 'read' | 'change';
  /** Takes `?dryRun=true`. */
  readonly dryRun: boolean;
  /** The field of the request that names what it makes; the gateway makes the id when the client does not, see `Caller.madeId`. */
  readonly makes?: string;
  /** A field of the answer that is shown once and never stored. */
  readonly secret?: string;
  /** Takes a query beside `dryRun`. */
  readonly takesQuery: boolean;
}

export const ENDPOINT = Symbol('ENDPOINT');

interface EndpointOptions<T, U = T> {
  /** One of what it answers, for the API description. */
  readonly answers: T;
  /** More of them, in which something else is null, or a list is not empty. */
  readonly also?: readonly U[];
  /** Default 200. */
  readonly status?: number;
  readonly makes?: string;
  readonly secret?: string;
}

/** Fits methods for whose answers the example could be one. */
type Handler<T> = <M extends (...args: never[]) => unknown>(
  target: object,
  key: string,
  descriptor: TypedPropertyDescriptor<M> & ([T] extends [Awaited<ReturnType<M>> | undefined] ? unknown : { exampleDiffers: T }),
) => void;

/** Binds a route to the call it makes: who may make it and what it is about come from the call's definition. */
export function Calls<T, U = T>(definition: CallDefinition, options: EndpointOptions<T, U>): Handler<T | U> {
  const { allow, effect, summary, request } = definition;
  const fields = (request['properties'] ?? {}) as Record<string, unknown>;
  return endpoint({ allow, effect, dryRun: 'dryRun' in fields }, summary, options);
}

/** Says who may use a route of the gateway's own. */
export function Allow<T>(
  roles: readonly Role[] | 'public',
  options: EndpointOptions<T> & { readonly effect?: 'read' | 'change'; readonly summary: string },
): Handler<T> {
  return endpoint({ allow: roles, effect: options.effect ?? 'read', dryRun: false }, options.summary, options);
}

function endpoint<T, U>(
  access: Pick<Endpoint, 'allow' | 'effect' | 'dryRun'>,
  summary: string,
  options: EndpointOptions<T, U>,
): Handler<T | U> {
  const { answers, also = [], status = 200, makes, secret } = options;
  return (target, key, descriptor) => {
    const value: Endpoint = {
      ...access,
      takesQuery: takesQuery(target, key),
      ...(makes === undefined ? {} : { makes }),
      ...(secret === undefined ? {} : { secret }),
    };
    applyDecorators(SetMetadata(ENDPOINT, value), HttpCode(status), ...describe(value, summary, status, [answers, ...also]))(
      target,
      key,
      descriptor,
    );
  };
}

function takesQuery(target: object, key: string): boolean {
  const args = (Reflect.getMetadata(ROUTE_ARGS_METADATA, target.constructor, key) ?? {}) as Record<string, unknown>;
  return Object.keys(args).some((arg) => arg.startsWith(`${RouteParamtypes.QUERY}:`));
}

/** How the API description shows a route. */
function describe(value: Endpoint, summary: string, status: number, answers: readonly unknown[]): MethodDecorator[] {
  const who = value.allow === 'public' ? 'Needs no authentication.' : `Roles: ${value.allow.join(', ')}.`;
  const content = { 'application/json': { schema: exampleSchema(answers), example: answers.at(-1) } };
  const done = answers[0] === undefined ? { description: 'Done.' } : { description: summary, content };
  const decorators: MethodDecorator[] = [ApiOperation({ summary, description: who }), ApiResponse({ status, ...done })];
  decorators.push(problem(400), problem(429), problem(503));
  if (value.allow !== 'public') decorators.push(ApiBearerAuth(), ApiSecurity('apiKey'), problem(401), problem(403));
  if (value.effect === 'change') decorators.push(problem(404), problem(409), problem(422));
  if (value.dryRun) decorators.push(dryRun);
  return decorators;
}

const problem = (status: number) => ApiResponse({ status, description: 'A problem.', content: PROBLEM_CONTENT });
const PROBLEM_CONTENT = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
const dryRun = ApiQuery({
  name: 'dryRun',
  required: false,
  description: 'Answers as if, and changes nothing.',
  schema: { type: 'boolean' },
});
