import { Body, Controller, Get, Param, Put, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { ADMINISTRATORS, AUDITORS, type Page } from '#libs/contracts';
import { ByCaller, Caller } from '../http/caller.js';
import { Allow } from '../http/endpoint.js';
import { pageOf, PageQuery } from '../http/paging.js';
import { MemberPath, MemberRights } from './access.dto.js';
import { type Member, Members } from './members.js';

const aMember: Member = {
  userId: 'ann',
  roles: ['sales'],
  warehouses: ['berlin'],
  disabled: false,
  updatedAt: '2026-03-01T08:00:00.000Z',
  updatedBy: 'bob',
};

@ApiTags('Access')
@Controller('members')
export class MembersController {
  constructor(private readonly members: Members) {}

  @Put(':userId')
  @Allow(ADMINISTRATORS, {
    effect: 'change',
    summary: "Says what a user may do, whatever the user's token says. Acts within a second.",
    answers: aMember,
  })
  put(@ByCaller() { actor }: Caller, @Param() { userId }: MemberPath, @Body() rights: MemberRights): Promise<Member> {
    const { roles, warehouses = null, disabled = false } = rights;
    return this.members.put(actor, userId, { roles, warehouses, disabled });
  }

  @Get()
  @Allow(AUDITORS, { summary: 'The users about whom something was said.', answers: pageOf(aMember) })
  list(@ByCaller() { actor }: Caller, @Query() page: PageQuery): Promise<Page<Member>> {
    return this.members.list(actor.orgId, page);
  }
}
