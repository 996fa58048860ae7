import { Type, type TSchema } from '@sinclair/typebox';
import { ID_PATTERN, ORG_ID_PATTERN, POSITIVE_QUANTITY_PATTERN, QUANTITY_PATTERN } from '#libs/domain';

// The building blocks of message schemas. Messages ignore unknown fields, so no object closes itself to additional properties.

/** An id of the caller's: 1 to 64 of `A-Z a-z 0-9 . _ : -`. */
export const Id = Type.String({ pattern: ID_PATTERN });
export const OrgId = Type.String({ pattern: ORG_ID_PATTERN });
/** A decimal string with at most four decimals. */
export const Decimal = Type.String({ pattern: QUANTITY_PATTERN });
/** A decimal string greater than zero. */
export const PositiveDecimal = Type.String({ pattern: POSITIVE_QUANTITY_PATTERN });
/** A decimal string that is zero or more. */
export const NonNegativeDecimal = Type.String({ pattern: QUANTITY_PATTERN.replace('-?', '') });
/** RFC 3339, UTC. */
export const Timestamp = Type.String({ format: 'date-time' });
/** A day such as `2026-03-01`; no year 0, which PostgreSQL does not know. */
export const CalendarDay = Type.String({ format: 'date', pattern: '^(?!0000)' });
export const LINE_NO_MAX = 1_000_000;
export const LineNo = Type.Integer({ minimum: 1, maximum: LINE_NO_MAX });
export const Sequence = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
/** Served first when higher. */
export const Priority = Type.Integer({ minimum: 0, maximum: 100 });
const STORABLE = '[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\ud800-\\udfff]';
/** Text for people: no control characters and no lone surrogates, which PostgreSQL cannot store. */
export const Text = (maxLength = 500) => Type.String({ maxLength, pattern: `^${STORABLE}*$` });
/** As {@link Text}, and neither empty nor nothing but blanks. */
export const SomeText = (maxLength = 500) => Type.String({ minLength: 1, maxLength, pattern: `^(?=[\\s\\S]*\\S)${STORABLE}+$` });
export const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

/** At most this many lines in an order, and in any other command. */
export const ORDER_LINES_MAX = 500;
export const COMMAND_LINES_MAX = 1_000;

/** How long goods must live from now, in whole days. */
export const ShelfLifeDays = Type.Integer({ minimum: 0, maximum: 36_500 });
