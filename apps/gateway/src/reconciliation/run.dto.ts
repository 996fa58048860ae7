import { RUN_STATUSES, type RunStatus } from '#libs/contracts';
import { ChoiceField } from '../http/fields.js';
import { PageQuery } from '../http/paging.js';

export class RunsQuery extends PageQuery {
  @ChoiceField(RUN_STATUSES, { optional: true, example: 'completed' })
  status?: RunStatus;
}
