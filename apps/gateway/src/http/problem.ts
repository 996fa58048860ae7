import { HttpException } from '@nestjs/common';
import { type ErrorKind, HoldfastError } from '#libs/domain';
import { classifyError } from '#libs/persistence';

/** An error as clients see it (RFC 9457), with the stable `code` that programs compare. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  /** The path that was asked for. */
  readonly instance: string;
  readonly [detail: string]: unknown;
}

export const PROBLEM_CONTENT_TYPE = 'application/problem+json';

export const STATUS_OF_KIND: Readonly<Record<ErrorKind, number>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  precondition: 412,
  rejected: 422,
  limited: 429,
  bug: 500,
  unavailable: 503,
};

/** Codes whose status is not that of their kind. */
const STATUS_OF_CODE: Readonly<Record<string, number>> = { BODY_TOO_LARGE: 413, UNSUPPORTED_MEDIA_TYPE: 415 };

/** Describes an error to the client. What we did not foresee says nothing of itself: it may name hosts, SQL or files. */
export function toProblem(thrown: unknown, instance: string): Problem {
  const error = toHoldfastError(thrown);
  const status = STATUS_OF_CODE[error.code] ?? STATUS_OF_KIND[error.kind];
  const title = error.code.charAt(0) + error.code.slice(1).toLowerCase().replaceAll('_', ' ');
  const detail = error.kind === 'bug' ? 'Something went wrong on our side. It has been recorded.' : error.message;
  const details = error.kind === 'bug' ? {} : error.details;
  const type = `urn:holdfast:problem:${error.code.toLowerCase().replaceAll('_', '-')}`;
  return { ...details, type, title, status, code: error.code, detail, instance };
}

/** Seconds after which the same request may succeed, for the `Retry-After` header; undefined when waiting does not help. */
export function retryAfterSeconds(problem: Problem): number | undefined {
  if (problem.status !== 429 && problem.status !== 503 && problem.code !== 'IDEMPOTENCY_IN_PROGRESS') return undefined;
  return typeof problem['retryAfterSeconds'] === 'number' ? problem['retryAfterSeconds'] : 1;
}

function toHoldfastError(thrown: unknown): HoldfastError {
  if (thrown instanceof HoldfastError) return thrown;
  const status = statusOf(thrown);
  if (status !== undefined && status < 500) return ofHttpStatus(status, thrown as Error);
  const databaseIsAway = ['retry', 'pause'].includes(classifyError(thrown));
  if (status === 503 || databaseIsAway) return new HoldfastError('unavailable', 'UNAVAILABLE', 'Try again in a moment.');
  return new HoldfastError('bug', 'INTERNAL', 'An unforeseen error.', {}, { cause: thrown });
}

/** The status that Nest or Fastify give an error of theirs. */
function statusOf(thrown: unknown): number | undefined {
  if (thrown instanceof HttpException) return thrown.getStatus();
  const status = thrown instanceof Error && 'statusCode' in thrown ? thrown.statusCode : undefined;
  return typeof status === 'number' ? status : undefined;
}

function ofHttpStatus(status: number, error: Error): HoldfastError {
  if (status === 404) return new HoldfastError('not_found', 'NOT_FOUND', 'There is nothing at this address.');
  if (status === 413) return new HoldfastError('invalid', 'BODY_TOO_LARGE', 'The body is larger than 1 MiB.');
  return new HoldfastError('invalid', 'MALFORMED_REQUEST', error.message);
}
