import { Controller } from '@nestjs/common';
import {
  type CustomerReturn,
  type Page,
  type RequestOf,
  ReturnCancel,
  ReturnCreate,
  ReturnGet,
  ReturnInspect,
  ReturnList,
  ReturnReceive,
} from '#libs/contracts';
import { type MessageContext, OnCall } from '#libs/messaging';
import { AuthoriseReturn } from './authorise-return.js';
import { ChangeReturn } from './change-return.js';
import { ReturnQueries } from './return.queries.js';

/** Calls about returns. */
@Controller()
export class ReturnsConsumer {
  constructor(
    private readonly authoriseReturn: AuthoriseReturn,
    private readonly changeReturn: ChangeReturn,
    private readonly queries: ReturnQueries,
  ) {}

  @OnCall(ReturnCreate)
  async authorise(request: RequestOf<typeof ReturnCreate>, context: MessageContext): Promise<CustomerReturn> {
    return await this.authoriseReturn.run(request, context);
  }

  @OnCall(ReturnReceive)
  async receive(request: RequestOf<typeof ReturnReceive>, context: MessageContext): Promise<CustomerReturn> {
    return await this.changeReturn.receive(request, context);
  }

  @OnCall(ReturnInspect)
  async inspect(request: RequestOf<typeof ReturnInspect>, context: MessageContext): Promise<CustomerReturn> {
    return await this.changeReturn.inspect(request, context);
  }

  @OnCall(ReturnCancel)
  async cancel(request: RequestOf<typeof ReturnCancel>, context: MessageContext): Promise<CustomerReturn> {
    return await this.changeReturn.cancel(request, context);
  }

  @OnCall(ReturnGet)
  async get({ returnId }: RequestOf<typeof ReturnGet>, { orgId }: MessageContext): Promise<CustomerReturn> {
    return await this.queries.get(orgId, returnId);
  }

  @OnCall(ReturnList)
  async list(request: RequestOf<typeof ReturnList>, { orgId }: MessageContext): Promise<Page<CustomerReturn>> {
    return await this.queries.list(orgId, request);
  }
}
