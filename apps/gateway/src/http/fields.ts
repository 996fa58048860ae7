import { ApiProperty, type ApiPropertyOptions } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import { ArrayMaxSize, ArrayMinSize, ValidateBy, ValidateIf, ValidateNested } from 'class-validator';
import { ROLES } from '#libs/contracts';
import { ID_PATTERN, isTimeZone, ORG_ID_PATTERN } from '#libs/domain';
import { decimalError, toDecimal, type DecimalRange } from './decimal.js';
import { isCalendarDate, isPlainObject, isTimestamp, plainJsonError } from './values.js';

/*
 * The fields of request bodies and queries. One decorator says all there is to say of a field: how it is read, what is refused, and
 * how the API description shows it.
 */

export interface FieldOptions {
  /** May be left out. Null is refused all the same. */
  readonly optional?: boolean;
  /** May be null. */
  readonly nullable?: boolean;
  readonly description?: string;
  readonly example?: unknown;
}

/** Answers what is wrong with a value, as in "must be ...", or undefined when it is right. */
type Check = (value: unknown) => string | undefined;

function field(check: Check, api: ApiPropertyOptions, options: FieldOptions, ...more: PropertyDecorator[]): PropertyDecorator {
  const { optional = false, nullable = false, description, example } = options;
  const decorators: PropertyDecorator[] = [
    ValidateIf((_, value) => !(optional && value === undefined) && !(nullable && value === null)),
    ValidateBy({
      name: 'field',
      validator: {
        validate: (value) => check(value) === undefined,
        defaultMessage: (context: { value?: unknown } = {}) =>
          (context.value === undefined ? 'is missing' : check(context.value)) ?? 'is not valid',
      },
    }),
    ApiProperty({
      ...api,
      required: !optional,
      ...(nullable ? { nullable } : {}),
      ...(description === undefined ? {} : { description }),
      ...(example === undefined ? {} : { example }),
    } as ApiPropertyOptions),
    ...more,
  ];
  return (target, key) => decorators.forEach((decorate) => decorate(target, key));
}

const matches =
  (pattern: RegExp, expected: string): Check =>
  (value) =>
    typeof value === 'string' && pattern.test(value) ? undefined : expected;

const id = new RegExp(ID_PATTERN);
const orgId = new RegExp(ORG_ID_PATTERN);
const ID_EXPECTED = 'must be an id: 1 to 64 of A-Z a-z 0-9 . _ : -';
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/;

export const isId = (value: unknown): value is string => typeof value === 'string' && id.test(value);

/** An id of the caller's. */
export const IdField = (options: FieldOptions = {}) => field(matches(id, ID_EXPECTED), { type: String, pattern: ID_PATTERN }, options);

export const OrgIdField = (options: FieldOptions = {}) =>
  field(matches(orgId, 'must be 1 to 64 of A-Z a-z 0-9 _ : -'), { type: String, pattern: ORG_ID_PATTERN }, options);

/** Text for people, without control characters and lone surrogates, which cannot be stored. What must not be empty is not just blanks. */
export const TextField = (lengthMax: number, options: FieldOptions & { readonly lengthMin?: number } = {}) => {
  const { lengthMin = 0 } = options;
  const said = lengthMin === 0 ? {} : { pattern: NOT_BLANK.source };
  return field(textCheck(lengthMin, lengthMax), { type: String, minLength: lengthMin, maxLength: lengthMax, ...said }, options);
};
const NOT_BLANK = /\S/;

function textCheck(min: number, max: number): Check {
  return (value) => {
    if (typeof value !== 'string') return 'must be text';
    // Counted as people and the message schemas count: an emoji is one.
    const length = [...value.slice(0, 2 * max + 1)].length;
    if (length < min || length > max) return `must have ${min} to ${max} characters`;
    if (min > 0 && !NOT_BLANK.test(value)) return 'must say something: it has nothing but blanks';
    return CONTROL.test(value) || !value.isWellFormed() ? 'must not have control characters or halves of surrogate pairs' : undefined;
  };
}

/** A quantity or an amount of money: a string, or a number of up to 15 significant digits; becomes the shortest decimal string. */
export const DecimalField = (range: DecimalRange, options: FieldOptions = {}) =>
  field(
    (value) => decimalError(value, range),
    { oneOf: [{ type: 'string', format: 'decimal' }, { type: 'number' }], example: '12.5' },
    options,
    Transform(({ value }: { value: unknown }) => toDecimal(value)),
  );

/** Exactly so many decimals, one after the other. */
export const DecimalListField = (count: number, options: FieldOptions = {}) =>
  field(
    (value) =>
      Array.isArray(value) && value.length === count && value.every((entry) => decimalError(entry, 'zero or more') === undefined)
        ? undefined
        : `must be a list of ${count} decimals of zero or more`,
    { type: String, isArray: true, minItems: count, maxItems: count },
    options,
    Transform(({ value }: { value: unknown }) => (Array.isArray(value) ? value.map(toDecimal) : value)),
  );

/** When something is done again and again: five fields as crontab has them. */
export const CronField = (options: FieldOptions = {}) =>
  field(matches(CRON, 'must have five fields as crontab has them, such as 0 2 * * *'), { type: String, example: '0 2 * * *' }, options);
const CRON = /^([0-9*,/-]+ ){2}[0-9*,/L-]+ [0-9A-Za-z*,/-]+ [0-9A-Za-z*,/#L-]+$/;

export const IntegerField = (min: number, max: number, options: FieldOptions = {}) =>
  field(
    (value) =>
      Number.isInteger(value) && min <= Number(value) && Number(value) <= max ? undefined : `must be a whole number from ${min} to ${max}`,
    { type: 'integer', minimum: min, maximum: max },
    options,
  );

export const BooleanField = (options: FieldOptions = {}) =>
  field((value) => (typeof value === 'boolean' ? undefined : 'must be true or false'), { type: Boolean }, options);

export const ChoiceField = (choices: readonly string[], options: FieldOptions = {}) =>
  field(
    (value) => (choices.includes(value as string) ? undefined : `must be one of ${choices.join(', ')}`),
    { type: String, enum: [...choices] },
    options,
  );

/** RFC 3339. */
export const TimestampField = (options: FieldOptions = {}) =>
  field(
    (value) => (isTimestamp(value) ? undefined : 'must be a time such as 2026-03-01T12:00:00Z'),
    { type: String, format: 'date-time', example: '2026-03-01T12:00:00Z' },
    options,
  );

export const DateField = (options: FieldOptions = {}) =>
  field(
    (value) => (isCalendarDate(value) ? undefined : 'must be a date such as 2026-03-01'),
    { type: String, format: 'date', example: '2026-03-01' },
    options,
  );

/** A name of the IANA time zone database. */
export const TimeZoneField = (options: FieldOptions = {}) =>
  field(
    (value) => (typeof value === 'string' && isTimeZone(value) ? undefined : 'must be the name of a time zone such as Europe/Berlin'),
    { type: String, maxLength: 64, example: 'Europe/Berlin' },
    options,
  );

/** ISO 4217. */
export const CurrencyField = (options: FieldOptions = {}) =>
  field(matches(/^[A-Z]{3}$/, 'must be a currency code such as EUR'), { type: String, pattern: '^[A-Z]{3}$', example: 'EUR' }, options);

export const EmailField = (options: FieldOptions = {}) =>
  field(
    (value) => (typeof value === 'string' && value.length <= 320 && EMAIL.test(value) ? undefined : 'must be an e-mail address'),
    { type: String, format: 'email', example: 'ann@example.com' },
    options,
  );
const EMAIL =
  /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]*[a-z0-9])?$/i;

// Swagger knows a function that answers a class by its name, `type`.

/** An object within the body. */
export const ObjectField = (type: () => new () => object, options: FieldOptions = {}) =>
  field(
    (value) => (isPlainObject(value) || value instanceof type() ? undefined : 'must be an object'),
    { type: () => type() },
    options,
    Type(type),
    ValidateNested(),
  );

/** A list of objects. */
export const ListField = (type: () => new () => object, countMax: number, options: FieldOptions & { readonly countMin?: number } = {}) => {
  const countMin = options.countMin ?? 1;
  const check: Check = (value) => {
    if (!Array.isArray(value)) return 'must be a list';
    if (value.length < countMin || value.length > countMax) return `must have ${countMin} to ${countMax} entries`;
    return value.every((entry) => isPlainObject(entry) || entry instanceof type()) ? undefined : 'must be a list of objects';
  };
  return field(
    check,
    { type: () => type(), isArray: true, minItems: countMin, maxItems: countMax },
    options,
    Type(type),
    ValidateNested({ each: true }),
  );
};

/** A list of ids, each once. */
export const IdListField = (countMax: number, options: FieldOptions = {}) =>
  field(
    (value) =>
      Array.isArray(value) && value.length <= countMax && value.every(isId) && new Set(value).size === value.length
        ? undefined
        : `must be a list of up to ${countMax} different ids`,
    { type: String, isArray: true, maxItems: countMax },
    options,
  );

/** Some of these choices, each once. */
export const ChoicesField = (
  choices: readonly string[],
  { countMin = 0, ...options }: FieldOptions & { readonly countMin?: number } = {},
) =>
  field(
    (value) =>
      isListOf(value, countMin, choices.length, (choice) => choices.includes(choice as string))
        ? undefined
        : `must be a list of ${countMin > 0 ? `at least ${countMin} of ` : ''}${choices.join(', ')}`,
    { type: String, enum: [...choices], isArray: true, ...(countMin > 0 ? { minItems: countMin } : {}) },
    options,
  );

export const RolesField = (options: FieldOptions & { readonly countMin?: number } = {}) =>
  ChoicesField(ROLES, { example: ['sales'], ...options });
/** A list of names of ours, such as types of events, each once. */
export const WordListField = (countMax: number, options: FieldOptions = {}) =>
  field(
    (value) =>
      isListOf(value, 1, countMax, (word) => typeof word === 'string' && WORD.test(word))
        ? undefined
        : `must be a list of 1 to ${countMax} different names`,
    { type: String, isArray: true, minItems: 1, maxItems: countMax },
    options,
  );
const WORD = /^[A-Za-z0-9]{1,100}$/;

function isListOf(value: unknown, countMin: number, countMax: number, isRight: (entry: unknown) => boolean): boolean {
  return (
    Array.isArray(value) &&
    value.length >= countMin &&
    value.length <= countMax &&
    value.every(isRight) &&
    new Set(value).size === value.length
  );
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
export const isUuid = (value: unknown): boolean => typeof value === 'string' && UUID.test(value);

/** An id that Holdfast made. */
export const UuidField = (options: FieldOptions = {}) =>
  field((value) => (isUuid(value) ? undefined : 'must be an id that Holdfast made'), { type: String, format: 'uuid' }, options);

/** Any JSON object, such as a postal address. */
export const JsonField = (options: FieldOptions = {}) => field(plainJsonError, { type: 'object', additionalProperties: true }, options);

/** A whole number in the query. */
export const QueryInteger = (min: number, max: number, options: FieldOptions = {}): PropertyDecorator => {
  const read = Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value,
  );
  return (target, key) => [IntegerField(min, max, { optional: true, ...options }), read].forEach((decorate) => decorate(target, key));
};

/** `true` or `false` in the query. */
export const QueryFlag = (options: FieldOptions = {}): PropertyDecorator => {
  const read = Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value));
  return (target, key) => [BooleanField({ optional: true, ...options }), read].forEach((decorate) => decorate(target, key));
};

/** Ids in the query: `?itemId=a&itemId=b`. */
export const QueryIds = (countMax: number, options: FieldOptions = {}): PropertyDecorator => {
  const read = Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? [value] : value));
  return (target, key) =>
    [IdListField(countMax, options), ArrayMinSize(1), ArrayMaxSize(countMax), read].forEach((decorate) => decorate(target, key));
};

/** Who an identity provider says somebody is. */
export const USER_ID = /^[^\u0000-\u001f\u007f\ud800-\udfff]{1,200}$/u;

export const UserIdField = (options: FieldOptions = {}) =>
  field(matches(USER_ID, 'must be 1 to 200 characters without control characters'), { type: String, maxLength: 200 }, options);
