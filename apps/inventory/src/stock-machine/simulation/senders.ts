import { formatQuantity, minQuantity, parseQuantity, type Quantity, sumQuantities, ZERO } from '#libs/domain';
import type { CommandMeta, StockCommand } from '../commands.js';
import { balanceKey, subjectKey } from '../balance.js';
import { type DemandLine, openQuantity } from '../demand.js';
import { underWay } from '../../transfers/transfer-view.js';
import { askedOf, decidedOf, decisionOf, discrepancyIdOf, findingsOf, reportOf } from './found-commands.js';
import type { ReservationRow } from './memory-tables.js';
import type { MemoryStock } from './memory-stock.js';
import type { Share, Step, Travel, WantedLine } from './steps.js';
import { expectedReceiptId, expiryOf, fitting, lotOf } from './world.js';

/** A command on its way, with how it travels. */
export interface Sent {
  readonly command: StockCommand;
  readonly late: number;
  readonly again: { readonly after: number; readonly command: StockCommand; readonly as: 'same' | 'new' } | null;
}

type Saying = Extract<
  Step,
  {
    do:
      | 'order'
      | 'ship'
      | 'unship'
      | 'return'
      | 'inspect'
      | 'receive'
      | 'adjust'
      | 'correct'
      | 'policy'
      | 'work'
      | 'transfer'
      | 'arrive'
      | 'pick'
      | 'report'
      | 'reconcile'
      | 'decide'
      | 'approve';
  }
>;
type OrderStep = Extract<Step, { do: 'order' }>;

/** Who sends an order's messages decides how they are ordered. */
interface OrderSender {
  readonly orderId: string;
  readonly source: string;
  /** Numbered messages carry the order's sequence; the others are ordered by time, or as they come. */
  readonly numbered: boolean;
  readonly by: readonly ('event' | 'call')[];
  sequence: number;
}

const KINDS: readonly Pick<OrderSender, 'source' | 'numbered' | 'by'>[] = [
  { source: '/oms', numbered: true, by: ['event'] },
  // Our own orders say everything twice: by the durable event and by the quick call.
  { source: '/orders', numbered: true, by: ['event', 'call'] },
  { source: '/legacy', numbered: false, by: ['event'] },
  { source: '/rpc', numbered: false, by: ['call'] },
];

/** Everybody who talks to inventory: turns what a step wants into the messages that say so, from what is known at that moment. */
export class Senders {
  private readonly orders = new Map<string, OrderSender>();
  private readonly generations = new Map<string, number>();
  private made = 0;

  private readonly began: Date;

  constructor(private readonly stock: MemoryStock) {
    this.began = stock.now;
  }

  send(step: Saying): Sent[] {
    switch (step.do) {
      case 'order':
        return this.sendOrder(step);
      case 'ship':
        return this.sendShipment(step);
      case 'unship':
        return this.sendCancelledShipment(step);
      case 'return':
        return this.sendReturn(step);
      case 'inspect':
        return this.sendInspection(step);
      case 'receive': {
        const receiptId = step.reuses ? `receipt-${this.made}` : this.newId('receipt');
        const lines = step.lines.map((line) => this.goodsOf(step.warehouseId, line));
        const content = { kind: 'receive-goods', orgId: step.org, receiptId, warehouseId: step.warehouseId, lines } as const;
        return [this.travelling(step, (meta) => ({ ...content, meta: meta('/suppliers') }))];
      }
      case 'adjust': {
        const { do: _, org: orgId, leaves, nthPlace, ...content } = step;
        const quantityDelta = (leaves !== null && this.downTo(step, parseQuantity(leaves))) || content.quantityDelta;
        const commandId = this.newId('adjustment');
        const change = { quantityDelta, reasonCode: fitting(step.reasonCode, quantityDelta), reason: 'counted' };
        return [this.called({ kind: 'adjust-stock', orgId, ...content, ...this.placeOf(step), ...change, commandId })];
      }
      case 'work':
        return this.sendWork(step);
      case 'correct': {
        const { org: orgId, which, itemId, unitCost, landedCost, reuses } = step;
        const receipts = [...this.stock.movements.values()].filter((one) => one.orgId === orgId && one.movementType === 'receipt');
        const receiptId = receipts.at(-1 - which)?.refId ?? 'unknown';
        const line = { itemId, ...(unitCost === null ? {} : { unitCost }), ...(landedCost === null ? {} : { landedCost }) };
        const commandId = reuses ? `correction-${this.made}` : this.newId('correction');
        return [this.calledLate(step, { kind: 'correct-cost', orgId, commandId, receiptId, lines: [line] })];
      }
      case 'policy': {
        const { do: _, org: orgId, ...content } = step;
        return [this.called({ kind: 'set-stock-policy', orgId, ...content })];
      }
      case 'transfer':
        return this.sendTransfer(step);
      case 'arrive':
        return this.sendArrival(step);
      case 'pick':
        return this.sendPick(step);
      default:
        return this.sendFound(step);
    }
  }

  private sendOrder(step: OrderStep): Sent[] {
    const sender = this.senderOf(step.org, step.order, step.says !== 'cancelled' && !step.foreign);
    const isCancelled = step.says === 'cancelled';
    const content = {
      kind: 'set-demand',
      orgId: step.org,
      orderId: sender.orderId,
      source: step.foreign ? '/intruder' : sender.source,
      lines: isCancelled ? [] : step.lines.map((line) => asked(step.careless ? line : this.withKnownItem(step.org, sender.orderId, line))),
      firm: step.says === 'amended' ? (step.firm ?? undefined) : step.says === 'confirmed',
      ttlSeconds: step.ttlSeconds ?? undefined,
      pendingApproval: step.pendingApproval,
      approvedShortages: step.approved === null ? undefined : step.lines.map(({ lineNo }) => approvedUpTo(lineNo, step.approved!)),
      mode: step.mode ?? undefined,
      priority: step.priority ?? undefined,
      warehouseId: step.warehouseId ?? undefined,
    } as const;
    return this.aboutOrder(sender, step, content);
  }

  private sendShipment(step: Extract<Step, { do: 'ship' }>): Sent[] {
    const sender = this.senderOf(step.org, step.order);
    const open = this.linesOf(step.org, sender.orderId).flatMap((line) => part(line, openQuantity(line), step.share));
    const lines = (open.length > 0 ? open : step.lines.map(({ nthLot: _, life: __, ...line }) => line)).map((line) => ({
      ...line,
      ...this.leaving(step, sender.orderId, line),
    }));
    return this.aboutOrder(sender, step, {
      kind: 'ship',
      orgId: step.org,
      orderId: sender.orderId,
      shipmentId: step.reuses ? `shipment-${this.made}` : this.newId('shipment'),
      lines,
      ...(step.warehouseId === null ? {} : { warehouseId: step.warehouseId }),
      closeShortLines: step.closeShortLines,
    });
  }

  private sendCancelledShipment(step: Extract<Step, { do: 'unship' }>): Sent[] {
    const shipments = [...this.stock.shipments.values()].filter((shipment) => shipment.orgId === step.org);
    const shipment = shipments[step.which % Math.max(1, shipments.length)];
    const orderId = step.wrongOrder || shipment === undefined ? this.senderOf(step.org, step.which % 8).orderId : shipment.orderId;
    const content = { kind: 'unship', orgId: step.org, orderId, shipmentId: shipment?.shipmentId ?? 'unknown' } as const;
    return this.aboutOrder(this.senderFor(step.org, orderId), step, content);
  }

  private sendReturn(step: Extract<Step, { do: 'return' }>): Sent[] {
    const shipped = [...this.stock.demands.values()].filter((row) => row.orgId === step.org && row.lines.some(isReturnable));
    const orderId = shipped[step.order % Math.max(1, shipped.length)]?.orderId ?? this.senderOf(step.org, step.order).orderId;
    const sender = this.senderFor(step.org, orderId);
    const lines = this.linesOf(step.org, orderId).flatMap((line) => part(line, line.fulfilled - line.returned, step.share));
    return this.aboutOrder(sender, step, {
      kind: 'receive-return',
      orgId: step.org,
      orderId: sender.orderId,
      returnId: step.reuses ? `return-${this.made}` : this.newId('return'),
      warehouseId: step.warehouseId,
      lines: (lines.length > 0 ? lines : step.lines.map(({ warehouseId: _, nthLot: __, life: ___, ...line }) => line)).map((line) => ({
        ...line,
        ...(step.nthLot === null ? {} : lotNamed(line.itemId, step.nthLot)),
        ...(step.condition === null ? {} : { condition: step.condition }),
      })),
    });
  }

  private sendInspection(step: Extract<Step, { do: 'inspect' }>): Sent[] {
    const returns = [...this.stock.returns.values()].filter((received) => received.orgId === step.org);
    const received = returns[step.which % Math.max(1, returns.length)];
    const orderId = received?.orderId ?? this.senderOf(step.org, step.which % 8).orderId;
    const waiting = (received?.lines ?? []).flatMap((line) =>
      part(line, line.quantity - line.inspected, step.share).map((one) =>
        step.namesLots && line.lot !== '' ? { ...one, lot: line.lot } : one,
      ),
    );
    const lines: readonly { lineNo: number; quantity: string; lot?: string }[] =
      waiting.length > 0 ? waiting : [{ lineNo: 1, quantity: '1' }];
    return this.aboutOrder(this.senderFor(step.org, orderId), step, {
      kind: 'inspect-return',
      orgId: step.org,
      orderId,
      returnId: received?.returnId ?? 'unknown',
      lines: lines.map(({ lineNo, quantity, lot }) => ({ lineNo, quantity, verdict: step.verdict, ...(lot === undefined ? {} : { lot }) })),
    });
  }

  private sendTransfer(step: Extract<Step, { do: 'transfer' }>): Sent[] {
    const { org: orgId, mode } = step;
    const { from: fromWarehouseId, to: toWarehouseId } = step.way;
    const stored = [...this.stock.balances.values()].filter((row) => row.orgId === orgId && row.warehouseId === fromWarehouseId);
    const free = stored.filter((row) => row.onHand - row.blocked > row.reserved);
    const lines = step.goods.map(({ nthItem, share, nthPlace }) => {
      const balance = free[nthItem % Math.max(1, free.length)];
      const itemId = balance?.itemId ?? 'UNKNOWN';
      const key = balanceKey(orgId, fromWarehouseId, itemId);
      const lots = this.stock.quantsAt(key).filter((quant) => quant.quality === 'available' && quant.lot !== '');
      const lot = nthPlace === null ? undefined : lots[nthPlace % Math.max(1, lots.length)];
      const most = lot === undefined ? balance && balance.onHand - balance.blocked - balance.reserved : lot.quantity - lot.reserved;
      const quantity = shareOf(most ?? ZERO, share);
      return { itemId, quantity: formatQuantity(quantity || parseQuantity('1')), ...(lot === undefined ? {} : { lot: lot.lot }) };
    });
    const transferId = step.reuses ? `transfer-${this.made}` : this.newId('transfer');
    return [this.calledLate(step, { kind: 'transfer-stock', orgId, transferId, fromWarehouseId, toWarehouseId, mode, lines })];
  }

  private sendArrival(step: Extract<Step, { do: 'arrive' }>): Sent[] {
    const { org: orgId, which, share, namesLots, closeShortLines } = step;
    const sent = [...this.stock.transfers.values()].filter((one) => one.orgId === orgId && one.status === 'in_transit');
    const transfer = sent[which % Math.max(1, sent.length)] ?? [...this.stock.transfers.values()].find((one) => one.orgId === orgId);
    const lines = (transfer?.lines ?? []).map((line) => ({
      itemId: line.itemId,
      quantity: formatQuantity(shareOf(underWay(line), share ?? 'all')),
      ...(namesLots && line.lot !== '' ? { lot: line.lot } : {}),
    }));
    const commandId = step.reuses ? `arrival-${this.made}` : this.newId('arrival');
    const content = { kind: 'receive-transfer', orgId, transferId: transfer?.transferId ?? 'unknown', commandId, closeShortLines } as const;
    return [this.calledLate(step, share === null || lines.length === 0 ? content : { ...content, lines })];
  }

  private sendPick(step: Extract<Step, { do: 'pick' }>): Sent[] {
    const held = [...this.stock.demands.values()].filter((row) => row.orgId === step.org && row.firm && row.lines.some(isHeld));
    const orderId = held[step.order % Math.max(1, held.length)]?.orderId ?? this.senderOf(step.org, step.order).orderId;
    const sender = this.senderFor(step.org, orderId);
    const about = { kind: 'confirm-pick', orgId: step.org, orderId: sender.orderId } as const;
    if (step.says === 'as suggested') return this.aboutOrder(sender, step, about);
    const lines = this.linesOf(step.org, sender.orderId)
      .filter(isHeld)
      .map((line) => {
        const picked = shareOf(line.reserved, step.share);
        const total = { lineNo: line.lineNo, quantity: formatQuantity(line.fulfilled + picked) };
        if (step.says === 'in all') return total;
        const lots = [...this.shippedOf(step.org, sender.orderId, line), ...this.pickedOf(step, sender.orderId, line, picked)];
        return { ...total, lots };
      });
    return this.aboutOrder(sender, step, { ...about, lines });
  }

  /** Where a line was picked: in its warehouse, wherever something lies. */
  private pickedOf(
    { org, nthPlace }: Extract<Step, { do: 'pick' }>,
    orderId: string,
    { lineNo, itemId }: DemandLine,
    quantity: Quantity,
  ): PickedPart[] {
    const key = balanceKey(org, this.warehouseOf(org, orderId, lineNo) ?? 'W1', itemId);
    const balance = this.stock.balances.get(key)!;
    const stored = this.stock.quantsAt(key).filter((quant) => quant.quality === 'available' && quant.quantity > ZERO);
    const plain = balance.onHand - balance.blocked - sumQuantities(stored, (quant) => quant.quantity);
    const places = [...stored, ...(plain > ZERO ? [{ lot: '', location: 'default', quantity: plain }] : [])];
    return partsOf(places, quantity, nthPlace).map(({ lot, location, quantity: part }) => ({
      quantity: formatQuantity(part),
      location,
      ...(lot === '' ? {} : { lot }),
    }));
  }

  /** What left of a line, as a picker tells it. */
  private shippedOf(orgId: string, orderId: string, { lineNo }: DemandLine): PickedPart[] {
    return [...this.stock.shipments.values()]
      .filter((shipment) => shipment.orgId === orgId && shipment.orderId === orderId && shipment.status === 'posted')
      .flatMap((shipment) => shipment.lines.filter((line) => line.lineNo === lineNo))
      .map(({ lot, location, quantity }) => ({ quantity: formatQuantity(quantity), location, ...(lot === '' ? {} : { lot }) }));
  }

  /** Where something is held of a line. */
  private warehouseOf(orgId: string, orderId: string, lineNo: number): string | undefined {
    const isOf = (row: ReservationRow) => row.orgId === orgId && row.orderId === orderId && row.lineNo === lineNo;
    const holds = [...this.stock.reservations.values()].filter(isOf);
    return (holds.find((row) => row.status === 'active') ?? holds[0])?.warehouseId;
  }

  private sendFound(step: Extract<Step, { do: 'report' | 'reconcile' | 'decide' | 'approve' }>): Sent[] {
    if (step.do === 'approve') return this.sendApproval(step);
    if (step.do === 'decide') return [this.calledLate(step, decisionOf(this.stock, step))];
    if (step.do === 'reconcile') return [this.calledLate(step, findingsOf(this.stock, step, this.newId('run')))];
    const n = step.reuses ? this.made : ++this.made;
    return [this.calledLate(step, reportOf(this.stock, step, discrepancyIdOf(n)))];
  }

  /** Whoever asks waits for what is decided, which may come before that is known. */
  private sendApproval(step: Extract<Step, { do: 'approve' }>): Sent[] {
    const { org: orgId, warehouseId, itemId, quantityDelta } = step;
    const commandId = this.newId('adjustment');
    const place = this.placeOf({ org: orgId, warehouseId, itemId, nthPlace: step.which });
    const adjustment = {
      kind: 'adjust-stock',
      orgId,
      commandId,
      warehouseId,
      itemId,
      ...place,
      quantityDelta,
      reasonCode: fitting(step.reasonCode, quantityDelta),
      reason: 'r',
    } as const;
    const asked = askedOf(this.stock, step, adjustment, { messageId: commandId, actor: 'tester', mayWait: false });
    if (asked === null) return [];
    // Ids of requests grow.
    const [approvalRequestId, newer] = [++this.made, ++this.made].map((n) => `request-${String(n).padStart(8, '0')}`) as [string, string];
    const decided = this.travelling(step, (meta) => decidedOf(orgId, asked, approvalRequestId, step.verdict, meta('/approvals')));
    if (asked.found === null || step.awaits === 'none') return [decided];
    const awaited = step.awaits === 'this' ? approvalRequestId : newer;
    return [this.called({ kind: 'await-approval', orgId, ...asked.found, approvalRequestId: awaited }), decided];
  }

  /** Numbers the message, and says it in each of the ways in which the order's source says things. */
  private aboutOrder(sender: OrderSender, step: Extract<Saying, { travel: unknown }>, content: Unsent): Sent[] {
    const isForeign = 'source' in content && content.source !== sender.source;
    const sequence = isForeign ? 1_000 : sender.numbered ? ++sender.sequence : undefined;
    return sender.by.map((by) => {
      if (by === 'call') return this.called(content, sequence);
      return this.travelling(step, (meta) => ({ ...content, meta: meta(isForeign ? '/intruder' : sender.source, sequence) }));
    });
  }

  /** A call that somebody was slow to make, and maybe made again. */
  private calledLate({ travel: { late, again } }: { readonly travel: Travel }, content: Unsent): Sent {
    const { command } = this.called(content);
    return { command, late, again: again && { after: again.after, command: this.called(content).command, as: 'new' } };
  }

  private called(content: Unsent, sequence?: number): Sent {
    return {
      command: { ...content, meta: { messageId: this.newId('call'), actor: 'tester', sequence, mayWait: false } },
      late: 0,
      again: null,
    };
  }

  private travelling(
    { travel: { late, again } }: Extract<Saying, { travel: unknown }>,
    make: (meta: (source: string, sequence?: number) => CommandMeta) => StockCommand,
  ): Sent {
    const time = this.stock.now;
    const sent = (id: string) =>
      make((source, sequence) => {
        const event = { orgid: '', source, id };
        return { messageId: id, event, causationId: id, actor: source, sequence, time, mayWait: true };
      });
    const id = this.newId('event');
    const command = withOrg(sent(id));
    if (again === null) return { command, late, again };
    return { command, late, again: { ...again, command: withOrg(sent(again.as === 'same' ? id : this.newId('event'))) } };
  }

  private senderOf(orgId: string, order: number, isNewAfterEnd = false): OrderSender {
    const slot = `${orgId}/${order}`;
    let generation = this.generations.get(slot) ?? 0;
    // An order that has ended makes room for the next one.
    if (isNewAfterEnd && this.stock.demands.get(subjectKey(orgId, orderIdOf(order, generation)))?.state === 'closed') generation++;
    this.generations.set(slot, generation);
    return this.senderFor(orgId, orderIdOf(order, generation));
  }

  private senderFor(orgId: string, orderId: string): OrderSender {
    const key = subjectKey(orgId, orderId);
    const known = this.orders.get(key);
    if (known !== undefined) return known;
    const sender = { orderId, ...KINDS[Number(orderId.split('-')[1]) % KINDS.length]!, sequence: 0 };
    this.orders.set(key, sender);
    return sender;
  }

  private linesOf(orgId: string, orderId: string) {
    return this.stock.demands.get(subjectKey(orgId, orderId))?.lines ?? [];
  }

  /** What takes a balance down to a quantity of sellable stock; null when it is not above it. */
  private downTo({ org, warehouseId, itemId }: Extract<Step, { do: 'adjust' }>, quantity: Quantity): string | null {
    const row = this.stock.balances.get(balanceKey(org, warehouseId, itemId));
    const excess = row === undefined ? ZERO : row.onHand - row.blocked - quantity;
    return excess > ZERO ? formatQuantity(-excess) : null;
  }

  private withKnownItem(orgId: string, orderId: string, line: WantedLine): WantedLine {
    const known = this.linesOf(orgId, orderId).find(({ lineNo }) => lineNo === line.lineNo);
    return known !== undefined && known.fulfilled + known.returned > ZERO ? { ...line, itemId: known.itemId } : line;
  }

  /** Work on something that lies there, or, where nothing does, on nothing. */
  private sendWork(step: Extract<Step, { do: 'work' }>): Sent[] {
    const { what, org: orgId, warehouseId, itemId, nthPlace, share, bin, quality } = step;
    const send = (content: Unsent) => [this.calledLate(step, content)];
    const key = balanceKey(orgId, warehouseId, itemId);
    const balance = this.stock.balances.get(key);
    const stored = this.stock.quantsAt(key).filter((quant) => quant.quantity > ZERO);
    const inBins = sumQuantities(stored, (quant) => quant.quantity);
    const plain = { lot: '', location: 'default', quality: 'available' as const, quantity: (balance?.onHand ?? ZERO) - inBins };
    const places = [...stored, ...(plain.quantity > ZERO ? [plain] : [])];
    const place = places[nthPlace % Math.max(1, places.length)] ?? { ...plain, quantity: parseQuantity('1') };
    const quantity = part({ lineNo: 1, itemId }, place.quantity, share)[0]?.quantity ?? '1';
    const lot = place.lot === '' ? {} : { lot: place.lot };
    const location = place.location;
    const about = { orgId, warehouseId, itemId, ...lot, quantity };
    const commandId = this.newId(what);
    switch (what) {
      case 'move':
        return send({ kind: 'move-stock', ...about, commandId, from: location, to: bin, quality: place.quality });
      case 'quality':
        return send({ kind: 'change-quality', ...about, location, commandId, from: place.quality, to: quality, reason: 'looked at' });
      case 'scrap':
        return send({ kind: 'scrap-stock', ...about, location, commandId, quality: place.quality, reason: 'broken' });
      case 'recall':
        // Seldom, for it is for ever.
        return nthPlace === 0 ? send({ kind: 'recall-lot', orgId, itemId, lot: place.lot || 'none', commandId, reason: 'unsafe' }) : [];
      case 'expire':
        return send({ kind: 'expire-lot', orgId, warehouseId, itemId, lot: place.lot || 'none' });
      case 'count': {
        const lines = [{ itemId, countedQuantity: quantity, ...lot, location }];
        return send({ kind: 'count-stock', orgId, warehouseId, commandId, mode: 'cycle', lines });
      }
      case 'count all': {
        const lines = this.inWarehouse(orgId, warehouseId)
          // One of them is not there any more, and another is not what it was.
          .filter((_, index) => index !== nthPlace)
          .map((line, index) => ({ ...line, countedQuantity: index === 0 ? quantity : line.countedQuantity }));
        return lines.length === 0 ? [] : send({ kind: 'count-stock', orgId, warehouseId, commandId, mode: 'full', lines });
      }
    }
  }

  /** What lies in each bin of a warehouse, as somebody counts it who looks well. */
  private inWarehouse(orgId: string, warehouseId: string) {
    const counted = new Map<string, { itemId: string; lot?: string; location: string; quantity: Quantity }>();
    for (const [key, { itemId, onHand }] of this.stock.balances) {
      if (!key.startsWith(`${orgId}/${warehouseId}/`)) continue;
      const quants = this.stock.quantsAt(key);
      const plain = onHand - sumQuantities(quants, (quant) => quant.quantity);
      for (const { lot, location, quantity } of [...quants, { lot: '', location: 'default', quantity: plain }]) {
        const place = `${itemId}/${lot}/${location}`;
        const there = (counted.get(place)?.quantity ?? ZERO) + quantity;
        if (there > ZERO) counted.set(place, { itemId, ...(lot === '' ? {} : { lot }), location, quantity: there });
      }
    }
    return [...counted.values()].map(({ quantity, ...line }) => ({ ...line, countedQuantity: formatQuantity(quantity) }));
  }

  private goodsOf(warehouseId: string, { quality, nthLot, bin, isExpected, ...line }: Extract<Step, { do: 'receive' }>['lines'][number]) {
    const { lot } = lotNamed(line.itemId, nthLot);
    const lives = lot === undefined ? null : expiryOf(lot);
    return {
      ...line,
      ...(lot === undefined ? {} : { lot }),
      ...(lives === null ? {} : { expiresAt: new Date(this.began.getTime() + lives * 1000).toISOString() }),
      ...(line.itemId === 'S' ? { quantity: '1' } : {}),
      ...(quality === null ? {} : { quality }),
      // What is not in bins stays out of them.
      ...(bin === null || 'BC'.includes(line.itemId) ? {} : { location: bin }),
      ...(isExpected ? { expectedReceiptId: expectedReceiptId(warehouseId, line.itemId) } : {}),
    };
  }

  /** What a shipment says of the lots of a line. */
  private leaving(
    { org, lots, nthLot, warehouseId }: Extract<Step, { do: 'ship' }>,
    orderId: string,
    { lineNo, itemId, quantity }: { lineNo: number; itemId: string; quantity: string },
  ) {
    if (lots === 'unsaid') return {};
    if (lots === 'named') return lotNamed(itemId, nthLot);
    const key = balanceKey(org, warehouseId ?? this.warehouseOf(org, orderId, lineNo) ?? 'W1', itemId);
    const there = this.stock.quantsAt(key).filter((quant) => quant.quality === 'available' && quant.quantity > ZERO && quant.lot !== '');
    const picked = partsOf(there, parseQuantity(quantity), nthLot).map((part) => ({
      lot: part.lot,
      quantity: formatQuantity(part.quantity),
      ...(nthLot % 2 === 0 ? { location: part.location } : {}),
    }));
    return picked.length > 0 && sumQuantities(picked, (part) => parseQuantity(part.quantity)) === parseQuantity(quantity)
      ? { lots: picked }
      : {};
  }

  /** One of the places where something of a balance lies. */
  private placeOf({
    org,
    warehouseId,
    itemId,
    nthPlace,
  }: Pick<Extract<Step, { do: 'adjust' }>, 'org' | 'warehouseId' | 'itemId' | 'nthPlace'>): { lot?: string; location?: string } {
    if (nthPlace === null) return {};
    const places = this.stock.quantsAt(balanceKey(org, warehouseId, itemId)).filter(({ quality }) => quality === 'available');
    const quant = places[nthPlace % Math.max(1, places.length)];
    if (quant === undefined) return lotNamed(itemId, nthPlace);
    return { ...(quant.lot === '' ? {} : { lot: quant.lot }), ...(nthPlace % 3 === 0 ? {} : { location: quant.location }) };
  }

  private newId(what: string): string {
    return `${what}-${++this.made}`;
  }
}

type WithoutMeta<C> = C extends StockCommand ? Omit<C, 'meta'> : never;
type Unsent = WithoutMeta<StockCommand>;

/** The lot that somebody names; rarely one of an item that has none. */
function lotNamed(itemId: string, nth: number): { lot?: string } {
  const lot = lotOf(itemId, nth);
  return lot === undefined ? {} : { lot };
}

function asked({ nthLot, life, ...line }: WantedLine) {
  return {
    ...line,
    ...(nthLot === undefined ? {} : lotNamed(line.itemId, nthLot)),
    ...(life === undefined ? {} : { minRemainingShelfLifeDays: life }),
  };
}

const isHeld = (line: DemandLine) => line.reserved > ZERO;
const approvedUpTo = (lineNo: number, quantity: string) => ({ lineNo, quantity });
const isReturnable = (line: DemandLine) => line.fulfilled > line.returned;
const orderIdOf = (order: number, generation: number) => `order-${order}-${generation}`;

function withOrg(command: StockCommand): StockCommand {
  return { ...command, meta: { ...command.meta, event: { ...command.meta.event!, orgid: command.orgId } } };
}

/** A line for a part of what is open; nothing when nothing is. */
function part(line: { lineNo: number; itemId: string }, open: Quantity, share: Share) {
  const quantity = shareOf(open, share);
  return quantity > ZERO ? [{ lineNo: line.lineNo, itemId: line.itemId, quantity: formatQuantity(quantity) }] : [];
}

function shareOf(open: Quantity, share: Share): Quantity {
  if (open <= ZERO) return ZERO;
  return { all: open, half: open / 2n, one: minQuantity(open, parseQuantity('1')), more: open + parseQuantity('1') }[share];
}

interface PickedPart {
  readonly lot?: string;
  readonly location: string;
  readonly quantity: string;
}

/** A quantity, taken from the n-th of some places on, as far as it is there. */
function partsOf<P extends { readonly quantity: Quantity }>(places: readonly P[], quantity: Quantity, nth: number): P[] {
  const parts: P[] = [];
  let open = quantity;
  for (let n = 0; n < places.length && open > ZERO; n++) {
    const place = places[(n + nth) % places.length]!;
    const part = minQuantity(open, place.quantity);
    parts.push({ ...place, quantity: part });
    open -= part;
  }
  return parts;
}
