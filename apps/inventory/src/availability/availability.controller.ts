import { Controller } from '@nestjs/common';
import { AvailabilityGet, type ResponseOf, StockList } from '#libs/contracts';
import { type MessageContext, OnCall } from '#libs/messaging';
import { Database, type Tx } from '#libs/persistence';
import type { Asked } from '../asked.js';
import { AvailabilityReader } from './availability-reader.js';
import { readPastAvailability } from './as-of.queries.js';
import { type AvailabilityQuestion, readAvailability } from './availability.queries.js';
import { explainAvailability } from './explain-availability.js';
import { listStock } from './stock.queries.js';

type Answer = ResponseOf<typeof AvailabilityGet>;

/** The calls about what there is and what can still be promised. */
@Controller()
export class AvailabilityController {
  constructor(
    private readonly database: Database,
    private readonly reader: AvailabilityReader,
  ) {}

  @OnCall(AvailabilityGet)
  async get({ orgId, explain, asOf, ...asked }: Asked<typeof AvailabilityGet>, { actor, deadlineMs }: MessageContext): Promise<Answer> {
    // Last, because a call may carry more than it should.
    const question = { ...asked, orgId, scope: actor.warehouses, isAdmin: actor.roles.includes('admin') };
    if (asOf !== undefined) return this.#asOf(question, new Date(asOf));
    if (explain) return this.#explained(question);
    return { items: [...(await this.reader.read(question, deadlineMs))] };
  }

  @OnCall(StockList)
  listStock({ orgId, ...request }: Asked<typeof StockList>, { actor }: MessageContext): Promise<ResponseOf<typeof StockList>> {
    return this.database.transaction([orgId], (tx) => listStock(tx, orgId, actor.warehouses, request), { readOnly: true });
  }

  async #asOf(question: AvailabilityQuestion, asOf: Date): Promise<Answer> {
    const work = (tx: Tx) => readPastAvailability(tx, question, asOf);
    return { items: await this.database.transaction([question.orgId], work, { readOnly: true }) };
  }

  /** In a transaction of its own, so that what is explained and the explanation are of one moment. */
  #explained(question: AvailabilityQuestion): Promise<Answer> {
    const work = async (tx: Tx): Promise<Answer> => {
      const [answer] = await readAvailability(tx, [question]);
      if ('error' in answer!) throw answer.error;
      const explanations = await explainAvailability(tx, question.orgId, answer!.items);
      return { items: answer!.items.map((item, index) => ({ ...item, explain: explanations[index]! })) };
    };
    return this.database.transaction([question.orgId], work, { readOnly: true });
  }
}
