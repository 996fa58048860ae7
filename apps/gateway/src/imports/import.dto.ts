import { IMPORT_KINDS, IMPORT_STATUSES, type ImportKind, type ImportStatus } from '#libs/contracts';
import { ChoiceField } from '../http/fields.js';
import { PageQuery } from '../http/paging.js';

export class ImportsQuery extends PageQuery {
  @ChoiceField(IMPORT_KINDS, { optional: true })
  kind?: ImportKind;

  @ChoiceField(IMPORT_STATUSES, { optional: true })
  status?: ImportStatus;
}
