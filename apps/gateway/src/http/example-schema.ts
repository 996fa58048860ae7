import type { OpenAPIObject } from '@nestjs/swagger';

type SchemaObject = Exclude<NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>[string], { $ref: string }>;

/** The schema of an answer, read off one of them, so that it need not be written twice. */
export function exampleSchema(example: unknown): SchemaObject {
  if (example === null) return { nullable: true };
  if (Array.isArray(example)) return { type: 'array', items: example.length > 0 ? exampleSchema(example[0]) : {} };
  if (typeof example === 'object') {
    const properties = Object.entries(example as object).map(([name, value]) => [name, exampleSchema(value)] as const);
    return { type: 'object', properties: Object.fromEntries(properties) };
  }
  if (typeof example === 'number') return { type: Number.isInteger(example) ? 'integer' : 'number' };
  if (typeof example === 'boolean') return { type: 'boolean' };
  return { type: 'string' };
}
