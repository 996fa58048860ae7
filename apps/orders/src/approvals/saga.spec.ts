import fc from 'fast-check';
import type { ApprovalRequest, DemandLine } from '#libs/contracts';
import { formatQuantity, parseQuantity, type Quantity, SCALE, ZERO } from '#libs/domain';
import { anOrder } from '../orders/order.fixture.js';
import { decideAmend, decideCancel, decideConfirm } from '../orders/order.rules.js';
import { type OrderState, saying } from '../orders/order-state.js';
import { applyStockReport } from '../stock/apply-stock-report.js';
import type { Outstanding } from '../stock/outstanding.js';
import type { Answer, StockReport } from '../stock/stock-report.js';
import { hear, requestFor, told, withdrawalFor } from './approval.rules.js';
import { awaitedApproval } from './order-approval.js';

// One order between an inventory and approvals that are models of what they promise, over a network that loses answers, repeats events and
// delivers them in any order, while people and facts do what they like. When everything has been delivered in the end, all three agree.

const now = new Date('2026-01-11T00:00:00Z');
const pieces = (count: number): Quantity => BigInt(count) * SCALE;
const least = (a: Quantity, b: Quantity) => (a < b ? a : b);

/** Sets one line of one order, by sequence; 10 pieces to begin with. */
class Inventory {
  free = pieces(10);
  isApprovable = true;
  state: 'unknown' | 'refused' | 'open' | 'closed' = 'unknown';
  firm = false;
  requested = ZERO;
  reserved = ZERO;
  backordered = ZERO;
  unheld = ZERO;
  /** Its own count. */
  count = 0;
  expires = false;
  private heard = 0;
  private answer: Pick<Answer, 'to' | 'refusal'> = { to: [], refusal: null };

  /** @returns what it says of it by event; nothing of a repeat. */
  take(said: Outstanding): StockReport | null {
    if (said.sequence <= this.heard) return null;
    this.heard = said.sequence;
    const isCancel = said.kind === 'cancel' || said.kind === 'reject';
    this.answer = { to: isCancel ? ['cancel', 'reject'] : ['place', 'amend', 'confirm', 'approve', 'restore'], refusal: null };
    if (isCancel) this.close();
    else this.set(said);
    this.count++;
    return this.report();
  }

  report(): StockReport {
    const { requested, reserved, backordered, unheld } = this;
    const closed = this.state === 'closed' ? requested : ZERO;
    const stock = [{ lineNo: 1, itemId: 'a', requested, reserved, backordered, unheld, closed, fulfilled: ZERO, returned: ZERO }];
    const held = { firm: this.firm, expiresAt: this.expires ? now : null, holds: [] };
    return { sequence: this.count, stock, ...held, answer: { ...this.answer, subjectId: null, moved: [], cogsTotal: null } };
  }

  /** A fact takes some of what is there: what is free first, then what is held. */
  lose(count: number): StockReport | null {
    const fromFree = least(this.free, pieces(count));
    this.free -= fromFree;
    const fromHeld = least(this.reserved, pieces(count) - fromFree);
    if (fromHeld === ZERO) return null;
    this.reserved -= fromHeld;
    this.backordered += fromHeld;
    this.count++;
    const { answer: _, holds: _h, firm: _f, expiresAt: _e, ...stock } = this.report();
    return stock;
  }

  private close(): void {
    this.free += this.reserved;
    [this.reserved, this.backordered, this.unheld] = [ZERO, ZERO, ZERO];
    [this.state, this.expires] = ['closed', false];
  }

  private set(said: Outstanding): void {
    const data = said.data as {
      lines: DemandLine[];
      firm?: boolean;
      pendingApproval?: boolean;
      approvedShortages?: { quantity: string }[];
    };
    if (this.state === 'closed') return this.refuse(ZERO, false);
    const requested = parseQuantity(data.lines[0]!.quantity);
    const there = this.free + this.reserved;
    const short = requested - least(requested, there);
    const waited = this.state === 'open' ? this.backordered : ZERO;
    const isPending = data.pendingApproval === true;
    const approved = parseQuantity(data.approvedShortages?.[0]?.quantity ?? '0');
    if (!isPending && short > waited && short > approved) {
      if (this.state !== 'open') [this.state, this.requested, this.unheld] = ['refused', requested, requested];
      return this.refuse(short, this.isApprovable);
    }
    const held = requested - short;
    this.free = there - held;
    const waits = isPending ? least(short, waited) : short;
    [this.requested, this.reserved, this.backordered, this.unheld] = [requested, held, waits, short - waits];
    this.state = 'open';
    this.firm ||= said.kind === 'confirm' || data.firm === true;
    this.expires = !this.firm && !isPending;
  }

  private refuse(short: Quantity, isApprovable: boolean): void {
    const quantity = formatQuantity(short);
    const line = { lineNo: 1, itemId: 'a', warehouseId: 'w', quantity };
    const override = {
      kind: 'order_override' as const,
      magnitudes: { quantity, percent: null, value: null },
      lines: [line],
      availabilitySnapshot: [],
    };
    const refusal = { reason: 'INSUFFICIENT_STOCK' as const, lines: [], discrepancyIds: [], alternatives: [] };
    this.answer = {
      to: ['place', 'amend', 'confirm', 'approve', 'restore', 'cancel', 'reject'],
      refusal: isApprovable ? { ...refusal, override } : refusal,
    };
  }
}

/** One subject, as `apps/approvals` promises it (docs/adr/0014). */
class Approvals {
  readonly requests: ApprovalRequest[] = [];
  private takenBack = -1;

  get last(): ApprovalRequest | undefined {
    return this.requests.at(-1);
  }

  ask(order: OrderState): ApprovalRequest | null {
    const said = requestFor(order, awaitedApproval(order)!);
    const version = said.subjectVersion!;
    const { last } = this;
    if (version <= this.takenBack) return last ?? null;
    const same = last !== undefined && JSON.stringify([last.lines, last.command]) === JSON.stringify([said.lines, said.command]);
    if (last !== undefined && (version < last.subjectVersion! || (same && version === last.subjectVersion))) return last;
    if (same && last.status === 'pending') return this.change({ subjectVersion: version });
    if (last?.status === 'pending') this.change({ status: 'cancelled' });
    const terms = { requiredRole: 'admin' as const, escalateTo: [], approverRoles: ['admin' as const], createdAt: '', dueAt: '' };
    const open = { remindedAt: null, escalatedAt: null, closedAt: null, closeReason: null, decisions: [], status: 'pending' as const };
    this.requests.push({
      ...said,
      ...terms,
      ...open,
      approvalRequestId: `r${this.requests.length + 1}`,
      subjectVersion: version,
      command: said.command!,
    });
    return this.last!;
  }

  takeBack(order: OrderState): void {
    const version = withdrawalFor(order, order.approval!).subjectVersion!;
    this.takenBack = Math.max(this.takenBack, version);
    if (this.last?.status === 'pending' && this.last.subjectVersion! <= version) this.change({ status: 'cancelled' });
  }

  decide(status: 'approved' | 'rejected' | 'expired'): ApprovalRequest | null {
    return this.last?.status === 'pending' ? this.change({ status }) : null;
  }

  private change(to: Partial<ApprovalRequest>): ApprovalRequest {
    this.requests[this.requests.length - 1] = { ...this.last!, ...to };
    return this.last!;
  }
}

const catalogue = {
  items: new Map([['a', { itemId: 'a', unitPrice: '2.5', currency: 'EUR' } as never]]),
  settings: { currency: 'EUR', reservationMode: 'all_or_nothing' as const },
  mayPrice: false,
};

/** The order with its neighbours, and what is under way. */
class World {
  readonly inventory = new Inventory();
  readonly approvals = new Approvals();
  order: OrderState;
  private readonly toInventory: Outstanding[] = [];
  private readonly toOrders: (StockReport | ApprovalRequest)[] = [];

  constructor(quantity: number) {
    const asked = { lineNo: 1, itemId: 'a', quantity: String(quantity) };
    const empty = anOrder({ status: 'reserving', firm: false, version: 0, sequence: 0, stockSequence: 0, stock: [], confirmedAt: null });
    const line = { ...empty.lines[0]!, quantity: pieces(quantity) };
    this.order = { ...empty, lines: [line] };
    const data = { orderId: 'o', priority: 50, reservationMode: 'all_or_nothing' as const, lines: [asked] };
    this.become(saying(this.order, { kind: 'place', data }, { digest: 'd', actor: 'ann' }, now));
  }

  get isQuiet(): boolean {
    const { order } = this;
    return (
      this.toInventory.length === 0 && this.toOrders.length === 0 && order.outstanding === null && (order.approval?.untold ?? null) === null
    );
  }

  /** Somebody changes the order, as ChangeOrder lets them: when nothing is outstanding. */
  change(what: 'amend' | 'confirm' | 'cancel', quantity: number): void {
    const { order } = this;
    if (order.outstanding !== null || order.status === 'refused') return;
    try {
      const lines = [{ lineNo: 1, itemId: 'a', quantity: String(quantity) }];
      const { ask } =
        what === 'amend'
          ? decideAmend(order, { orderId: 'o', lines }, catalogue)
          : what === 'confirm'
            ? decideConfirm(order)
            : decideCancel(order, { orderId: 'o' });
      if (ask !== undefined) this.become(saying(order, ask, { digest: what, actor: 'ann' }, now));
    } catch (error) {
      expect(error).toMatchObject({ code: 'INVALID_STATE' });
    }
  }

  /** @param isLost the answer, which stays to be asked for again. */
  call(isLost: boolean): void {
    const { outstanding } = this.order;
    if (outstanding === null) return;
    this.hearEvent(this.inventory.take(outstanding));
    if (!isLost)
      this.become(applyStockReport(this.order, { ...this.inventory.report(), answer: this.answerTo(outstanding) }, now, true).order);
  }

  tell(isLost: boolean): void {
    const { approval } = this.order;
    if (approval === null || approval.untold === null) return;
    const request = approval.untold === 'request' ? this.approvals.ask(this.order) : null;
    if (approval.untold === 'withdrawal') this.approvals.takeBack(this.order);
    if (!isLost) this.become((request === null ? told(this.order) : hear(this.order, request, now)).order);
  }

  decide(status: 'approved' | 'rejected' | 'expired'): void {
    this.hearEvent(this.approvals.decide(status));
  }

  lose(count: number): void {
    this.hearEvent(this.inventory.lose(count));
  }

  /** Delivers something that is under way, to either side; it may stay under way, to come again. */
  deliver(which: number, again: boolean): void {
    if (this.toInventory.length + this.toOrders.length === 0) return;
    const index = which % (this.toInventory.length + this.toOrders.length);
    if (index < this.toInventory.length) {
      const said = this.toInventory[index]!;
      if (!again) this.toInventory.splice(index, 1);
      return this.hearEvent(this.inventory.take(said));
    }
    const event = this.toOrders[index - this.toInventory.length]!;
    if (!again) this.toOrders.splice(index - this.toInventory.length, 1);
    this.become('stock' in event ? applyStockReport(this.order, event, now).order : hear(this.order, event, now).order);
  }

  /** What is outstanding is what inventory heard last, so that what it answers is about it. */
  private answerTo({ kind }: Outstanding): Answer {
    return { ...this.inventory.report().answer!, to: [kind] };
  }

  private hearEvent(event: StockReport | ApprovalRequest | null): void {
    if (event !== null) this.toOrders.push(event);
  }

  private become(order: OrderState): void {
    if (order.outstanding !== null && order.outstanding !== this.order.outstanding) this.toInventory.push(order.outstanding);
    this.order = order;
  }
}

const number = fc.nat({ max: 1_000 });
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('deliver' as const), which: number, again: fc.boolean() }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom('call' as const, 'tell' as const), isLost: fc.constantFrom(false, false, true) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('decide' as const),
      status: fc.constantFrom('approved' as const, 'rejected' as const, 'expired' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('change' as const),
      what: fc.constantFrom('amend' as const, 'amend' as const, 'confirm' as const, 'cancel' as const),
      quantity: fc.integer({ min: 1, max: 15 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose' as const), count: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('allow' as const), isApprovable: fc.boolean() }) },
);

function take(world: World, next: typeof step extends fc.Arbitrary<infer T> ? T : never): void {
  switch (next.do) {
    case 'deliver':
      return world.deliver(next.which, next.again);
    case 'call':
      return world.call(next.isLost);
    case 'tell':
      return world.tell(next.isLost);
    case 'decide':
      return world.decide(next.status);
    case 'change':
      return world.change(next.what, next.quantity);
    case 'lose':
      return world.lose(next.count);
    case 'allow':
      world.inventory.isApprovable = next.isApprovable;
  }
}

const seen = new Set<string>();

it('comes to an end at which the order, inventory and approvals agree, whatever happens in whatever order', () => {
  fc.assert(
    fc.property(fc.integer({ min: 8, max: 15 }), fc.array(step, { minLength: 40, maxLength: 80 }), (quantity, steps) => {
      const world = new World(quantity);
      for (const next of steps) take(world, next);
      // The network recovers, and the sweep asks again, until nothing is left to say.
      for (let turn = 0; !world.isQuiet; turn++) {
        expect(turn).toBeLessThan(500);
        world.deliver(0, false);
        if (turn % 5 === 4) world.call(false);
        if (turn % 5 === 4) world.tell(false);
      }
      const { order, inventory, approvals } = world;
      seen.add(order.status);
      const isWaiting = awaitedApproval(order) !== null;
      expect(isWaiting).toBe(order.status === 'pending_approval');
      expect(approvals.last?.status === 'pending').toBe(isWaiting);
      if (isWaiting) expect(order.approval!.approvalRequestId).toBe(approvals.last!.approvalRequestId);
      expect(inventory.state).toBe(
        order.status === 'refused' ? 'refused' : ['cancelled', 'rejected'].includes(order.status) ? 'closed' : 'open',
      );
      if (order.status === 'refused') return;
      expect([order.stockSequence, order.firm]).toEqual([inventory.count, inventory.firm]);
      const { requested, reserved, backordered, unheld } = inventory;
      expect(order.stock).toMatchObject([{ requested, reserved, backordered, unheld }]);
      if (inventory.state === 'open') {
        expect(order.lines[0]!.quantity).toBe(requested);
        // Nothing waits for an approval that nobody is asked for, and only what waits for one does not expire.
        if (!isWaiting) expect([unheld, inventory.expires]).toEqual([ZERO, !inventory.firm]);
      }
    }),
    { numRuns: 1_500 },
  );
  expect([...seen].sort()).toEqual(['backordered', 'cancelled', 'confirmed', 'created', 'pending_approval', 'refused', 'rejected']);
});
