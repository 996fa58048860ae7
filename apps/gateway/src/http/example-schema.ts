import type { OpenAPIObject } from '@nestjs/swagger';

type SchemaObject = Exclude<NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>[string], { $ref: string }>;

/**
 * The schema of an answer, read off examples, so that it need not be written twice. What is null in one of them and something else in
 * another may be null.
 */
export function exampleSchema(examples: readonly unknown[]): SchemaObject {
  const said = examples.filter((example) => example !== null && example !== undefined);
  const nullable = examples.includes(null) ? { nullable: true } : {};
  const [first] = said;
  if (first === undefined) return { ...nullable };
  if (Array.isArray(first)) return { type: 'array', items: exampleSchema((said as unknown[][]).flat()), ...nullable };
  if (typeof first === 'object') {
    const names = new Set(said.flatMap((example) => Object.keys(example)));
    const valuesOf = (name: string) =>
      (said as Record<string, unknown>[]).filter((example) => name in example).map((example) => example[name]);
    const properties = Object.fromEntries([...names].map((name) => [name, exampleSchema(valuesOf(name))] as const));
    return { type: 'object', properties, ...nullable };
  }
  if (typeof first === 'number') return { type: Number.isInteger(first) ? 'integer' : 'number', ...nullable };
  return { type: typeof first === 'boolean' ? 'boolean' : 'string', ...nullable };
}
