import { HoldfastError } from '#libs/domain';

export function unauthenticated(message: string, cause?: unknown): HoldfastError {
  return new HoldfastError('unauthenticated', 'UNAUTHENTICATED', message, {}, { cause });
}
