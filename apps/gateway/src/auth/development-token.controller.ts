import { Body, Controller, Inject, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Role } from '#libs/auth';
import { notFound } from '#libs/domain';
import { CONFIG, type Config } from '#libs/service';
import { Allow } from '../http/endpoint.js';
import { IdListField, OrgIdField, RolesField, UserIdField } from '../http/fields.js';
import { issueDevelopmentToken } from './access-tokens.js';
import { WAREHOUSES_MAX } from './access.dto.js';

class TokenRequest {
  @OrgIdField({ example: 'demo' })
  orgId: string;

  @UserIdField({ example: 'ann' })
  userId: string;

  @RolesField()
  roles: Role[];

  @IdListField(WAREHOUSES_MAX, { optional: true, description: 'Absent: all; empty: none.', example: ['berlin'] })
  warehouses?: string[];
}

@ApiTags('Access')
@Controller('auth')
export class DevelopmentTokenController {
  constructor(@Inject(CONFIG) private readonly config: Pick<Config, 'auth'>) {}

  @Post('token')
  @Allow('public', {
    summary: 'A token for anyone. In development only (HOLDFAST_AUTH=dev).',
    answers: { accessToken: 'eyJ...', expiresIn: 43_200 },
  })
  issue(@Body() request: TokenRequest) {
    if (this.config.auth.mode !== 'dev') throw notFound('NOT_FOUND', 'There is nothing at this address.');
    return issueDevelopmentToken(request);
  }
}
