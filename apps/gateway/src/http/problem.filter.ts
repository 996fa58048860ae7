import { type ArgumentsHost, Catch, type ExceptionFilter, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { withLogContext } from '#libs/service';
import { type GatewayRequest, pathOf } from './caller.js';
import { logContextOf } from './observe-requests.js';
import { PROBLEM_CONTENT_TYPE, type Problem, retryAfterSeconds, toProblem } from './problem.js';
import { Upload } from './upload.js';

/** Answers every error as `application/problem+json`, and records those that are ours. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('Gateway');

  catch(thrown: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<GatewayRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const problem = toProblem(thrown, pathOf(request));
    if (problem.status === 500) {
      withLogContext(logContextOf(request), () => this.logger.error(`${request.method} ${problem.instance} failed`, thrown));
    }
    // A stream of events has begun already: it can only end.
    if (reply.raw.headersSent) {
      reply.raw.destroy();
      return;
    }
    if (request.body instanceof Upload) request.body.discard();
    sendProblem(reply, problem);
  }
}

/** For requests that the router refuses before they reach Nest. */
export function frameworkErrors(error: Error, request: FastifyRequest, reply: FastifyReply): void {
  sendProblem(reply, toProblem(error, pathOf(request)));
}

function sendProblem(reply: FastifyReply, problem: Problem): void {
  const seconds = retryAfterSeconds(problem);
  if (seconds !== undefined) void reply.header('retry-after', seconds);
  if (problem.status === 401) void reply.header('www-authenticate', 'Bearer');
  void reply.status(problem.status).type(PROBLEM_CONTENT_TYPE).send(problem);
}
