import { Injectable } from '@nestjs/common';
import { SettingsGet, type StockSettings } from '#libs/contracts';
import { RpcClient } from '#libs/messaging';
import { type Caller, callOptions } from '../stock/ask-inventory.js';

/** When days begin for an organisation, and how long its deliveries take. */
export type Calendar = Pick<StockSettings, 'timezone' | 'deliveryLeadDays'>;
/** What of its settings showing an order needs: also how strictly it enforces what its books say. */
export type ShownBy = Calendar & Pick<StockSettings, 'enforcementPhase' | 'discrepancyLockPolicy'>;

/** So old may be what is known of it: every order that is shown needs it, and hardly anybody ever changes it. */
const AGE_MAX_MS = 5_000;
/** An order is shown without its days rather than late. */
const PATIENCE_MS = 1_000;
const ORGANISATIONS_MAX = 10_000;

/** Knows the calendars of organisations and what they enforce, as inventory has told lately. */
@Injectable()
export class OrganisationSettings {
  private readonly known = new Map<string, { readonly settings: Promise<ShownBy | null>; readonly readMs: number }>();

  constructor(private readonly rpc: RpcClient) {}

  /** Null when inventory does not answer in time. */
  read(orgId: string, caller: Caller): Promise<ShownBy | null> {
    const known = this.known.get(orgId);
    if (known !== undefined && Date.now() - known.readMs < AGE_MAX_MS) return known.settings;
    const settings = this.ask(orgId, caller);
    this.remember(orgId, settings);
    return settings;
  }

  /** Takes over what was read for another reason. */
  note(orgId: string, settings: ShownBy): void {
    this.remember(orgId, Promise.resolve(settings));
  }

  private async ask(orgId: string, caller: Caller): Promise<ShownBy | null> {
    const { timeoutMs = PATIENCE_MS, traceparent } = callOptions(caller);
    return await this.rpc.call(SettingsGet, { orgId }, { timeoutMs: Math.min(timeoutMs, PATIENCE_MS), traceparent }).catch(() => null);
  }

  private remember(orgId: string, settings: Promise<ShownBy | null>): void {
    if (this.known.size >= ORGANISATIONS_MAX) this.known.clear();
    this.known.set(orgId, { settings, readMs: Date.now() });
  }
}
