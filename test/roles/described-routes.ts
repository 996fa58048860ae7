import type { Role } from '#libs/contracts';

type Schema = Readonly<Record<string, unknown>>;
interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema?: Schema;
  readonly example?: unknown;
}
interface Operation {
  readonly description: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { schema: Schema; examples?: Readonly<Record<string, { value: string }>> }>>;
  };
}
export interface ApiDescription {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** A route as the gateway describes it, with a request that fits the description. */
export interface DescribedRoute {
  /** `POST /orders/{orderId}/shipments` */
  readonly name: string;
  readonly method: string;
  /** From the root, with ids and query. */
  readonly url: string;
  readonly contentType?: string;
  readonly body?: string;
  /** Whom its definition allows; null: everybody, without signing in. */
  readonly allow: readonly Role[] | null;
}

/** Part of every sample: what says that it is about a warehouse, so that it can be refused; and what webhooks need. */
const ALSO_SHOWN = ['warehouseId', 'fromWarehouseId', 'toWarehouseId', 'secret'];

/**
 * All routes of a gateway, in the order of its description.
 *
 * @param ids what stands for path and query parameters and fields of these names.
 * @throws when a path has a parameter that has neither an id nor an example.
 */
export function describedRoutes({ paths, components }: ApiDescription, ids: Readonly<Record<string, string>>): DescribedRoute[] {
  const sample = new Sample(components.schemas, ids);
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([verb, operation]) => {
      const { description, parameters = [], requestBody } = operation;
      const valueOf = ({ name, schema, example }: Parameter) => {
        const value = ids[name] ?? example ?? schema?.['example'];
        if (value === undefined) throw new Error(`${verb} ${path} needs an id for ${name}: make one in test/support/one-of-everything.ts.`);
        return encodeURIComponent(value as string);
      };
      const inPath = parameters.filter((parameter) => parameter.in === 'path');
      const inQuery = parameters.filter((parameter) => parameter.in === 'query' && parameter.required);
      const filled = inPath.reduce((url, parameter) => url.replace(`{${parameter.name}}`, valueOf(parameter)), path);
      const query = inQuery.map((parameter) => `${parameter.name}=${valueOf(parameter)}`).join('&');
      return {
        name: `${verb.toUpperCase()} ${path.replace('/api/v1', '')}`,
        method: verb.toUpperCase(),
        url: query === '' ? filled : `${filled}?${query}`,
        allow: allowed(description),
        ...bodyOf(requestBody, sample),
      };
    }),
  );
}

function allowed(description: string): readonly Role[] | null {
  const [, names] = /^Roles: (.*)\.$/.exec(description) ?? [];
  return names === undefined ? null : (names.split(', ') as Role[]);
}

function bodyOf(requestBody: Operation['requestBody'], sample: Sample): Pick<DescribedRoute, 'contentType' | 'body'> {
  const [entry] = Object.entries(requestBody?.content ?? {});
  if (entry === undefined) return {};
  const [contentType, { schema, examples = {} }] = entry;
  const [example] = Object.values(examples);
  return { contentType, body: example?.value ?? JSON.stringify(sample.of(schema)) };
}

/** Makes values that fit schemas: what is required, and a little more; of what requires nothing, the first field. */
class Sample {
  constructor(
    private readonly schemas: ApiDescription['components']['schemas'],
    private readonly ids: Readonly<Record<string, string>>,
  ) {}

  of(given: Schema, name = ''): unknown {
    const schema = this.#resolve(given);
    if (this.ids[name] !== undefined) return this.ids[name];
    if (schema['example'] !== undefined) return schema['example'];
    if (schema['type'] === 'array') return [this.of(schema['items'] as Schema)];
    if (schema['properties'] !== undefined) return this.#object(schema['properties'] as Readonly<Record<string, Schema>>, schema);
    if (schema['enum'] !== undefined) return (schema['enum'] as unknown[])[0];
    if (schema['type'] === 'integer') return schema['minimum'] ?? 1;
    return schema['type'] === 'boolean' ? true : 'text';
  }

  #object(properties: Readonly<Record<string, Schema>>, { required = [] }: { required?: readonly string[] }): object {
    const names = Object.keys(properties).filter((name) => required.includes(name) || ALSO_SHOWN.includes(name));
    const shown = names.length > 0 ? names : Object.keys(properties).slice(0, 1);
    return Object.fromEntries(shown.map((name) => [name, this.of(properties[name]!, name)]));
  }

  #resolve(schema: Schema): Schema {
    const reference = schema['$ref'] ?? (schema['allOf'] as Schema[] | undefined)?.[0]?.['$ref'];
    return typeof reference === 'string' ? this.schemas[reference.split('/').at(-1)!]! : schema;
  }
}
