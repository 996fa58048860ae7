import type { FastifyReply } from 'fastify';
import { needsApproval } from '#libs/contracts';

/** 202 for what was not done, because somebody has to approve it first. */
export function statusOfApproval<A extends object>(answer: A, reply: FastifyReply): A {
  if (needsApproval(answer)) void reply.status(202);
  return answer;
}
