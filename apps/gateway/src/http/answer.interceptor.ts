import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { map, type Observable } from 'rxjs';
import type { GatewayRequest } from './caller.js';
import { CsvFile } from './csv.js';
import { Upload } from './upload.js';

/** What answers have in common: a dry run is 200 and says so, whatever has a `version` can be asked for with `If-Match`, and files are files. */
@Injectable()
export class AnswerInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { caller, body } = context.switchToHttp().getRequest<GatewayRequest>();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    return next.handle().pipe(
      map((answer: unknown) => {
        if (typeof answer !== 'object' || answer === null) return answer;
        if (answer instanceof CsvFile) {
          void reply.type('text/csv; charset=utf-8').header('content-disposition', `attachment; filename="${answer.fileName}"`);
          return answer.text;
        }
        if ('version' in answer && typeof answer.version === 'number') void reply.header('etag', `"${answer.version}"`);
        // An import is work to be followed, also when it only checks.
        if (!caller?.dryRun || body instanceof Upload) return answer;
        void reply.status(200);
        return { ...answer, dryRun: true };
      }),
    );
  }
}
