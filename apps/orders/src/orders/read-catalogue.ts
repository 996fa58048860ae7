import { Injectable } from '@nestjs/common';
import { ItemGet, type Role, SettingsGet } from '#libs/contracts';
import { type MessageContext, RpcClient } from '#libs/messaging';
import { callOptions } from '../stock/ask-inventory.js';
import type { Catalogue } from './order.rules.js';
import { OrganisationSettings } from './organisation-settings.js';

/** Who may set a price or a refund that is not the item's. */
const PRICING_ROLES: readonly Role[] = ['service', 'finance_manager', 'admin'];

export function mayPrice({ actor }: Pick<MessageContext, 'actor'>): boolean {
  return actor.roles.some((role) => PRICING_ROLES.includes(role));
}

/** Reads what placing and amending need to know of items and settings. */
@Injectable()
export class ReadCatalogue {
  constructor(
    private readonly rpc: RpcClient,
    private readonly settings: OrganisationSettings,
  ) {}

  /** @throws {HoldfastError} kind `unavailable` when inventory does not answer in time. */
  async run(itemIds: readonly string[], context: MessageContext): Promise<Catalogue> {
    const { orgId } = context;
    const [{ items }, settings] = await Promise.all([
      this.rpc.call(ItemGet, { orgId, itemIds: [...new Set(itemIds)] }, callOptions(context)),
      this.rpc.call(SettingsGet, { orgId }, callOptions(context)),
    ]);
    this.settings.note(orgId, settings);
    return { items: new Map(items.map((item) => [item.itemId, item])), settings, mayPrice: mayPrice(context) };
  }
}
