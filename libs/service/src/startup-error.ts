/**
 * An expected reason why a process cannot start or go on: a missing service, a wrong setting, a port that is taken. It is told in
 * one line that says what is wrong and what to do, without a stack.
 */
export class StartupError extends Error {
  override readonly name = 'StartupError';
}

interface SystemError extends Error {
  readonly code?: string;
  readonly address?: string;
  readonly port?: number;
  readonly errors?: readonly unknown[];
}

/**
 * Turns what a failed start threw into one line for people. What is no expected problem keeps its stack, because then it is a
 * defect of ours and somebody has to find it.
 */
export function explainStartupFailure(error: unknown): string {
  if (error instanceof StartupError) return error.message;
  if (!Error.isError(error)) return String(error);
  // A host name with several addresses fails with one error per address.
  const { code, address, port } = firstCause(error);
  const where = address === undefined ? '' : ` at ${address}:${port}`;
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${port} is taken by another program. Stop it, or choose another port with PORT (gateway) or HOLDFAST_HEALTH_PORT (the other services).`;
    case 'EACCES':
      return port === undefined
        ? `${error.message}. Check the permissions.`
        : `Port ${port} may not be opened by this user. Choose one above 1023 with PORT.`;
    case 'ECONNREFUSED':
      return `Nothing answers${where}. Start it, or say where it is with DATABASE_URL (PostgreSQL) or AMQP_URL (RabbitMQ).`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `${error.message}: the host name is not known. Check DATABASE_URL and AMQP_URL.`;
    default:
      return error.stack ?? error.message;
  }
}

function firstCause(error: SystemError): SystemError {
  const first = error.errors?.[0];
  if (Error.isError(first)) return firstCause(first);
  if (error.code === undefined && Error.isError(error.cause)) return firstCause(error.cause);
  return error;
}
