import type { Role } from '#libs/auth';
import { BooleanField, IdListField, RolesField, TextField, UserIdField } from '../http/fields.js';

export const WAREHOUSES_MAX = 1_000;

export class MemberPath {
  @UserIdField({ example: 'ann' })
  userId: string;
}

export class MemberRights {
  @RolesField()
  roles: Role[];

  @IdListField(WAREHOUSES_MAX, { optional: true, nullable: true, description: 'Null or left out: all; empty: none.', example: ['berlin'] })
  warehouses?: string[] | null;

  @BooleanField({ optional: true, description: 'Refuses whatever token the user has.', example: false })
  disabled?: boolean;
}

export class NewApiKey {
  @TextField(200, { lengthMin: 1, example: 'Web shop' })
  name: string;

  @RolesField()
  roles: Role[];

  @IdListField(WAREHOUSES_MAX, { optional: true, description: 'Absent: all; empty: none.', example: ['berlin'] })
  warehouses?: string[];
}
