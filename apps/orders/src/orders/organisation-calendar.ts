import { Injectable } from '@nestjs/common';
import { SettingsGet, type StockSettings } from '#libs/contracts';
import { RpcClient } from '#libs/messaging';
import { type Caller, callOptions } from '../stock/ask-inventory.js';

/** When days begin for an organisation, and how long its deliveries take. */
export type Calendar = Pick<StockSettings, 'timezone' | 'deliveryLeadDays'>;

/** So old may be what is known of it: every order that is shown needs it, and hardly anybody ever changes it. */
const AGE_MAX_MS = 5_000;
/** An order is shown without its days rather than late. */
const PATIENCE_MS = 1_000;
const ORGANISATIONS_MAX = 10_000;

/** Knows the calendars of organisations, as inventory has told lately. */
@Injectable()
export class OrganisationCalendar {
  private readonly known = new Map<string, { readonly calendar: Promise<Calendar | null>; readonly readMs: number }>();

  constructor(private readonly rpc: RpcClient) {}

  /** Null when inventory does not answer in time. */
  read(orgId: string, caller: Caller): Promise<Calendar | null> {
    const known = this.known.get(orgId);
    if (known !== undefined && Date.now() - known.readMs < AGE_MAX_MS) return known.calendar;
    const calendar = this.ask(orgId, caller);
    this.remember(orgId, calendar);
    return calendar;
  }

  /** Takes over what was read for another reason. */
  note(orgId: string, settings: Calendar): void {
    this.remember(orgId, Promise.resolve(settings));
  }

  private async ask(orgId: string, caller: Caller): Promise<Calendar | null> {
    const { timeoutMs = PATIENCE_MS, traceparent } = callOptions(caller);
    return await this.rpc.call(SettingsGet, { orgId }, { timeoutMs: Math.min(timeoutMs, PATIENCE_MS), traceparent }).catch(() => null);
  }

  private remember(orgId: string, calendar: Promise<Calendar | null>): void {
    if (this.known.size >= ORGANISATIONS_MAX) this.known.clear();
    this.known.set(orgId, { calendar, readMs: Date.now() });
  }
}
