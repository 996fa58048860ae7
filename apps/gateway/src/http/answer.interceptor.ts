import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { map, type Observable } from 'rxjs';
import type { GatewayRequest } from './caller.js';

/** What answers have in common: a dry run is 200 and says so, and whatever has a `version` can be asked for with `If-Match`. */
@Injectable()
export class AnswerInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { caller } = context.switchToHttp().getRequest<GatewayRequest>();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    return next.handle().pipe(
      map((answer: unknown) => {
        if (typeof answer !== 'object' || answer === null) return answer;
        if ('version' in answer && typeof answer.version === 'number') void reply.header('etag', `"${answer.version}"`);
        if (!caller?.dryRun) return answer;
        void reply.status(200);
        return { ...answer, dryRun: true };
      }),
    );
  }
}
