import { type ArgumentMetadata, Injectable, type PipeTransform } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { validateSync, type ValidationError } from 'class-validator';
import { type FieldError, HoldfastError, invalid } from '#libs/domain';
import { isId } from './fields.js';
import { isPlainObject } from './values.js';

const NOT_SHAPES: readonly unknown[] = [String, Number, Boolean, Array, Object, undefined];
const ERRORS_MAX = 100;
const UNKNOWN = 'is not a known field';
const SAID = { body: 'The body is not valid.', query: 'The query is not valid.', param: 'The address is not valid.', custom: '' } as const;

/**
 * Reads bodies and queries into the classes that handlers ask for, and refuses what does not fit, unknown fields included. Ids in the
 * path are checked too.
 */
@Injectable()
export class ShapePipe implements PipeTransform {
  transform(value: unknown, { type, metatype, data }: ArgumentMetadata): unknown {
    if (type === 'param' && data !== undefined && !isId(value)) {
      throw invalid(SAID.param, [{ path: data, message: 'must be an id: 1 to 64 of A-Z a-z 0-9 . _ : -' }]);
    }
    if (type === 'custom' || data !== undefined || NOT_SHAPES.includes(metatype)) return value;
    // Fastify hands queries and path over as objects of a class of its own.
    return shaped(metatype as new () => object, type === 'body' ? (value ?? {}) : { ...(value as object) }, SAID[type]);
  }
}

/**
 * Reads a JSON value as a class of fields.
 *
 * @throws {HoldfastError} `VALIDATION_FAILED` that names each field that is wrong.
 */
export function shaped<T extends object>(shape: new () => T, value: unknown, message = SAID.body as string): T {
  const plain = isPlainObject(value) ? { ...value } : undefined;
  if (!plain) throw invalid(message, [{ path: '', message: 'must be a JSON object' }]);
  delete plain['dryRun'];
  const instance = plainToInstance(shape, plain);
  const errors = validateSync(instance, {
    whitelist: true,
    forbidNonWhitelisted: true,
    stopAtFirstError: true,
    validationError: { target: false },
  });
  const wrong = [...flatten(errors), ...dropped(plain, instance)];
  if (wrong.length > 0) throw invalid(message, wrong.slice(0, ERRORS_MAX));
  return withoutUndefined(instance) as T;
}

/**
 * Reads a JSON list of objects as a class of fields each; a path begins with the place in the list.
 *
 * @throws {HoldfastError} `VALIDATION_FAILED` that names each field that is wrong.
 */
export function shapedList<T extends object>(shape: new () => T, value: unknown, countMax: number): T[] {
  if (!Array.isArray(value) || value.length > countMax) {
    throw invalid(SAID.body, [{ path: '', message: `must be a list of up to ${countMax} entries` }]);
  }
  const wrong: FieldError[] = [];
  const entries = value.map((entry: unknown, index) => {
    try {
      return shaped(shape, entry);
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      for (const { path, message } of error.details['errors'] as FieldError[]) {
        wrong.push({ path: path === '' ? String(index) : `${index}.${path}`, message });
      }
      return undefined;
    }
  });
  if (wrong.length > 0) throw invalid(SAID.body, wrong.slice(0, ERRORS_MAX));
  return entries as T[];
}

function* flatten(errors: readonly ValidationError[], parents: readonly string[] = []): Generator<FieldError> {
  for (const error of errors) {
    const path = [...parents, error.property];
    for (const [rule, text] of Object.entries(error.constraints ?? {})) {
      yield { path: path.join('.'), message: rule === 'whitelistValidation' ? UNKNOWN : text };
    }
    yield* flatten(error.children ?? [], path);
  }
}

/** Names such as `constructor`, which class-transformer leaves out without a word. */
function* dropped(plain: object, instance: object, parents: readonly string[] = []): Generator<FieldError> {
  for (const [name, value] of Object.entries(plain) as [string, unknown][]) {
    const path = [...parents, name];
    const read: unknown = (instance as Record<string, unknown>)[name];
    if (!Object.hasOwn(instance, name)) yield { path: path.join('.'), message: UNKNOWN };
    else if (isObject(value) && isObject(read)) yield* dropped(value, read, path);
  }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** Fields that were not sent are there all the same in an instance of a class; in what is sent on they would count as given. */
function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(entries.map(([name, field]) => [name, withoutUndefined(field)]));
}
