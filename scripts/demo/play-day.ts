import { type Api, Refused } from './api.js';
import { type Day, ITEMS, type PlannedOrder, type PlannedReceipt, RUSH, WAREHOUSES } from './plan-day.js';

/** The people of the demo, each with a role of their own, so that the audit trail tells who did what. */
export interface Staff {
  /** `inventory_manager` */
  readonly ines: Api;
  /** `sales` */
  readonly sam: Api;
  /** `warehouse` */
  readonly wanda: Api;
}

/** What can happen, in the words and the order of the summary. */
export const HAPPENINGS = [
  'units received',
  'orders tried',
  'orders refused, not enough stock',
  'orders placed',
  'orders with a backorder',
  'orders cancelled',
  'orders confirmed',
  'orders picked and packed',
  'shipments',
  'units shipped',
  'backorders shipped later',
  'returns back on the shelf',
  'returns found damaged',
  'units broken',
  'lamps promised in the rush',
] as const;
export type Happening = (typeof HAPPENINGS)[number];

/** How often each happened. */
export type Tally = Partial<Record<Happening, number>>;

interface OrderView {
  readonly orderId: string;
  readonly status: string;
  readonly lines: readonly { lineNo: number; reservedQuantity: string; fulfilledQuantity: string; backorderedQuantity: string }[];
}

/** Plays a day against the HTTP API, one step after the other so that the same seed ends the same way. */
export class DayPlayer {
  readonly tally: Tally = {};

  constructor(
    private readonly staff: Staff,
    private readonly onProgress: (what: string) => void,
  ) {}

  /** How many steps {@link play} reports. */
  static steps(day: Day): number {
    const receipts = day.morningReceipts.length + day.afternoonReceipts.length + 1;
    return WAREHOUSES.length + ITEMS.length + 1 + receipts + day.morningOrders.length + day.afternoonOrders.length + RUSH.customers + 2;
  }

  async play(day: Day): Promise<void> {
    await this.openForBusiness();
    for (const receipt of day.morningReceipts) await this.receive('07:00 goods arrive', receipt);
    const waiting = await this.takeOrders('09:00 orders come in', day.morningOrders);
    await this.rush();
    await this.breakSomething();
    for (const receipt of day.afternoonReceipts) await this.receive('14:00 the lorry is here', receipt);
    waiting.push(...(await this.takeOrders('15:00 more orders', day.afternoonOrders)));
    await this.shipWhatWaited(waiting);
  }

  private async openForBusiness(): Promise<void> {
    for (const warehouse of WAREHOUSES) {
      await this.staff.ines.post('/api/v1/warehouses', warehouse);
      this.onProgress('06:00 opening');
    }
    for (const { itemId, name, unitPrice } of [...ITEMS, RUSH]) {
      await this.staff.ines.post('/api/v1/items', { itemId, name, unitPrice, currency: 'EUR', reorderPoint: '5' });
      this.onProgress('06:00 opening');
    }
    const { itemId, unitCost, units } = RUSH;
    await this.receive('07:00 goods arrive', { warehouseId: WAREHOUSES[0].warehouseId, lines: [{ itemId, unitCost, quantity: units }] });
  }

  private async receive(what: string, { warehouseId, lines }: PlannedReceipt): Promise<void> {
    await this.staff.wanda.post('/api/v1/inventory/receipts', {
      warehouseId,
      lines: lines.map((line) => ({ ...line, quantity: String(line.quantity) })),
    });
    for (const line of lines) this.count('units received', line.quantity);
    this.onProgress(what);
  }

  /** Answers the orders that wait for stock. */
  private async takeOrders(what: string, orders: readonly PlannedOrder[]): Promise<string[]> {
    const waiting: string[] = [];
    for (const planned of orders) {
      const order = await this.place(planned);
      if (order !== null) await this.carryOut(planned, order);
      if (order?.lines.some((line) => line.backorderedQuantity !== '0') === true && planned.fate !== 'cancelled')
        waiting.push(order.orderId);
      this.onProgress(what);
    }
    return waiting;
  }

  private async place({ customerId, reservationMode, lines }: PlannedOrder): Promise<OrderView | null> {
    this.count('orders tried');
    try {
      const order = await this.staff.sam.post<OrderView>('/api/v1/orders', {
        customerId,
        reservationMode,
        lines: lines.map((line) => ({ ...line, quantity: String(line.quantity) })),
      });
      this.count('orders placed');
      if (order.lines.some((line) => line.backorderedQuantity !== '0')) this.count('orders with a backorder');
      return order;
    } catch (error) {
      if (!(error instanceof Refused && error.code === 'INSUFFICIENT_STOCK')) throw error;
      this.count('orders refused, not enough stock');
      return null;
    }
  }

  private async carryOut({ fate, verdict }: PlannedOrder, { orderId }: OrderView): Promise<void> {
    const { sam, wanda } = this.staff;
    const path = `/api/v1/orders/${orderId}`;
    if (fate === 'stays_open') return;
    if (fate === 'cancelled') {
      await sam.put(`${path}/cancel`, { reason: 'changed their mind' });
      return this.count('orders cancelled');
    }
    const confirmed = await sam.put<OrderView>(`${path}/confirm`);
    this.count('orders confirmed');
    const held = confirmed.lines.filter((line) => line.reservedQuantity !== '0');
    if (fate === 'confirmed_only' || held.length === 0) return;
    const whole = held.length === confirmed.lines.length && confirmed.lines.every((line) => line.backorderedQuantity === '0');
    if (whole) {
      await wanda.put(`${path}/pick`);
      await wanda.put(`${path}/pack`);
      this.count('orders picked and packed');
    }
    const parcels = fate === 'shipped_in_two' && held.length > 1 ? [held.slice(0, 1), held.slice(1)] : [held];
    for (const parcel of parcels) await this.ship(orderId, parcel);
    if (fate === 'returned') await this.takeBack(orderId, held[0]!.lineNo, verdict);
  }

  private async ship(orderId: string, lines: OrderView['lines']): Promise<void> {
    await this.staff.wanda.post(`/api/v1/orders/${orderId}/shipments`, {
      lines: lines.map(({ lineNo, reservedQuantity }) => ({ lineNo, quantity: reservedQuantity })),
    });
    this.count('shipments');
    for (const line of lines) this.count('units shipped', Number(line.reservedQuantity));
  }

  private async takeBack(orderId: string, lineNo: number, verdict: PlannedOrder['verdict']): Promise<void> {
    const { sam, wanda } = this.staff;
    const { returnId } = await sam.post<{ returnId: string }>(`/api/v1/orders/${orderId}/returns`, {
      lines: [{ lineNo, quantity: '1', condition: 'unknown', reason: 'does not suit' }],
    });
    await wanda.put(`/api/v1/returns/${returnId}/receive`);
    await wanda.put(`/api/v1/returns/${returnId}/inspect`, { lines: [{ lineNo, quantity: '1', verdict }] });
    this.count(verdict === 'available' ? 'returns back on the shelf' : 'returns found damaged');
  }

  /** All at once, on purpose: whoever is first gets it, and nobody gets what is not there. */
  private async rush(): Promise<void> {
    const orders = Array.from({ length: RUSH.customers }, async (_, n) => {
      const order = await this.place({
        customerId: `collector-${String(n + 1).padStart(2, '0')}`,
        reservationMode: 'all_or_nothing',
        lines: [{ itemId: RUSH.itemId, warehouseId: WAREHOUSES[0].warehouseId, quantity: 1 }],
        fate: 'confirmed_only',
        verdict: 'available',
      });
      this.onProgress('12:00 the rush for the lamp');
      return order;
    });
    const won = (await Promise.all(orders)).filter((order) => order !== null);
    this.count('lamps promised in the rush', won.length);
    for (const { orderId } of won) await this.staff.sam.put(`/api/v1/orders/${orderId}/confirm`);
    this.count('orders confirmed', won.length);
  }

  /** A fact: it is booked although stock is reserved, and holds give way. */
  private async breakSomething(): Promise<void> {
    await this.staff.ines.post('/api/v1/inventory/adjustments', {
      warehouseId: WAREHOUSES[0].warehouseId,
      itemId: 'mug-blue',
      quantityDelta: '-2',
      reason: 'dropped on the way to the shelf',
      reasonCode: 'damage',
    });
    this.count('units broken', 2);
    this.onProgress('13:00 two mugs break');
  }

  /** What waited in the morning may have been filled by the lorry. */
  private async shipWhatWaited(orderIds: readonly string[]): Promise<void> {
    for (const orderId of orderIds) {
      const order = await this.staff.sam.get<OrderView>(`/api/v1/orders/${orderId}`);
      const held = order.lines.filter((line) => line.reservedQuantity !== '0');
      if (['confirmed', 'partially_shipped'].includes(order.status) && held.length > 0) {
        await this.ship(orderId, held);
        this.count('backorders shipped later');
      }
    }
    this.onProgress('17:00 what waited goes out');
  }

  private count(what: Happening, by = 1): void {
    this.tally[what] = (this.tally[what] ?? 0) + by;
  }
}
