import type { Damage } from './books.js';

export const OF_ITEM = `where org_id = $1 and item_id = $2`;
const OF_ORDER = `where org_id = $1 and order_id = $2`;
/** Foreign keys and the like hold nobody up who is at the tables themselves. */
const asOwner = (statement: string) => `set session_replication_role = replica; ${statement}; set session_replication_role = origin`;
const ship: Damage['more'] = (books, item) =>
  books.ask('POST', `/orders/${item}/shipments`, { shipmentId: `ship-${item}`, lines: [{ lineNo: 1, quantity: '2' }] });
const sendBack: Damage['more'] = async (books, item) => {
  await books.ask('PUT', `/orders/${item}/confirm`);
  await ship(books, item);
  const lines = [{ lineNo: 1, quantity: '1', condition: 'unknown', reason: 'regret' }];
  await books.ask('POST', `/orders/${item}/returns`, { returnId: `return-${item}`, lines });
  await books.ask('PUT', `/returns/return-${item}/receive`, { warehouseId: 'w1' });
};
const setLine = (field: string, value: string) =>
  `update inventory.demand set lines = jsonb_set(lines, '{0,${field}}', '"${value}"') ${OF_ORDER}`;

export const DAMAGES: readonly Damage[] = [
  {
    item: 'on-hand',
    sql: [`update inventory.stock_balance set on_hand = on_hand + 1 ${OF_ITEM}`],
    found: ['on_hand: w1 on-hand: 10 -> 11'],
  },
  {
    item: 'reserved',
    ordered: true,
    sql: [`update inventory.stock_balance set reserved = reserved + 2 ${OF_ITEM}`],
    found: ['reserved: w1 reserved: 3 -> 5'],
  },
  {
    item: 'backordered',
    sql: [`update inventory.stock_balance set backordered = 1 ${OF_ITEM}`],
    found: ['backordered: w1 backordered: 0 -> 1'],
  },
  { item: 'value', sql: [`update inventory.stock_balance set value = value + 1 ${OF_ITEM}`], found: ['ledger_value: w1 value: 20 -> 21'] },
  { item: 'blocked', sql: [`update inventory.stock_balance set blocked = 1 ${OF_ITEM}`], found: ['blocked: w1 blocked: 0 -> 1'] },
  { item: 'coming', sql: [`update inventory.stock_balance set in_transit = 1 ${OF_ITEM}`], found: ['in_transit: w1 coming: 0 -> 1'] },
  { item: 'doubted', sql: [`update inventory.stock_balance set doubtful = 2 ${OF_ITEM}`], found: ['doubts: w1 doubted: 0 -> 2'] },
  {
    item: 'oversold',
    ordered: true,
    sql: [
      'alter table inventory.stock_balance drop constraint if exists never_oversold',
      `update inventory.stock_balance set on_hand = 2 ${OF_ITEM}`,
    ],
    found: ['on_hand: w1 oversold: 10 -> 2', 'oversold: w1 oversold: 2 -> 3'],
  },
  {
    item: 'counted',
    sql: [`update inventory.stock_balance set last_entry_no = 3 ${OF_ITEM}`],
    found: ['ledger_numbering: w1 counted: 3 -> 2'],
  },
  {
    item: 'renumbered',
    sql: [`update inventory.ledger_entry set entry_no = 3 ${OF_ITEM} and entry_no = 2`],
    found: ['ledger_numbering: w1 renumbered: 2 -> 0'],
  },
  {
    item: 'rewritten',
    sql: [`update inventory.ledger_entry set quantity_delta = quantity_delta + 1 ${OF_ITEM} and entry_no = 1`],
    found: ['layer_quantity: w1 rewritten: 11 -> 10', 'on_hand: w1 rewritten: 11 -> 10'],
  },
  {
    item: 'told-wrongly',
    sql: [`update inventory.ledger_entry set balance_after = balance_after + 7 ${OF_ITEM} and entry_no = 1`],
    found: ['ledger_balance: w1 told-wrongly: 4 -> 11'],
  },
  {
    item: 'shifted',
    sql: [`update inventory.ledger_entry set quantity_delta = quantity_delta + case entry_no when 1 then 3 else -3 end ${OF_ITEM}`],
    found: ['ledger_balance: w1 shifted: 7 -> 4'],
  },
  {
    item: 'erased',
    sql: [`delete from inventory.ledger_entry ${OF_ITEM} and entry_no = 2`],
    found: [
      'layer_quantity: w1 erased: 4 -> 10',
      'layer_value: w1 erased: 8 -> 20',
      'ledger_numbering: w1 erased: 2 -> 1',
      'ledger_value: w1 erased: 8 -> 20',
      'on_hand: w1 erased: 4 -> 10',
    ],
  },
  {
    item: 'layer',
    sql: [`update inventory.cost_layer set quantity = quantity - 1 ${OF_ITEM} and layer_no = 1`],
    found: ['layer_quantity: w1 layer: 10 -> 9'],
  },
  {
    item: 'layer-value',
    sql: [`update inventory.cost_layer set value = value + 0.5 ${OF_ITEM} and layer_no = 1`],
    found: ['layer_value: w1 layer-value: 20 -> 20.5'],
  },
  {
    item: 'average-layer',
    costing: 'average',
    sql: [`update inventory.cost_layer set quantity = quantity - 1, value = value - 3 ${OF_ITEM}`],
    found: ['layer_quantity: w1 average-layer: 10 -> 9', 'layer_value: w1 average-layer: 20 -> 17'],
  },
  {
    item: 'empty-layer',
    sql: [
      'alter table inventory.cost_layer drop constraint if exists worthless_when_empty',
      `update inventory.cost_layer set quantity = quantity + 4 ${OF_ITEM} and layer_no = 2`,
      `update inventory.cost_layer set quantity = 0 ${OF_ITEM} and layer_no = 1`,
    ],
    found: ['value_of_nothing: w1 empty-layer: 0 -> 8'],
  },
  {
    item: 'lots-swapped',
    more: (books, itemId) => books.receive(itemId, 'L', '5'),
    sql: [
      `update inventory.quant set quantity = quantity - 1 ${OF_ITEM} and lot = 'L'`,
      `update inventory.quant set quantity = quantity + 1 ${OF_ITEM} and lot = 'M'`,
    ],
    found: ['quant: w1 lots-swapped: 10 -> 11', 'quant: w1 lots-swapped: 5 -> 4'],
  },
  { item: 'lot-lost', sql: [`delete from inventory.quant ${OF_ITEM}`], found: ['quant: w1 lot-lost: 10 -> 0'] },
  {
    item: 'lot-held',
    ordered: true,
    sql: [`update inventory.quant set reserved = reserved + 1 ${OF_ITEM}`],
    found: ['quant_reserved: w1 lot-held: 3 -> 4'],
  },
  {
    item: 'balance-lost',
    ordered: true,
    sql: [asOwner('delete from inventory.stock_balance where org_id = $1 and item_id = $2')],
    found: [
      'ledger_numbering: w1 balance-lost: 0 -> 2',
      'ledger_value: w1 balance-lost: 20 -> 0',
      'on_hand: w1 balance-lost: 10 -> 0',
      'reserved: w1 balance-lost: 3 -> 0',
    ],
  },
  {
    item: 'hold-lost',
    ordered: true,
    sql: [`delete from inventory.reservation ${OF_ITEM}`],
    found: ['line_reserved: hold-lost hold-lost: 0 -> 3', 'reserved: w1 hold-lost: 0 -> 3'],
  },
  {
    item: 'hold-of-nobody',
    ordered: true,
    sql: [`delete from inventory.demand ${OF_ORDER}`],
    found: ['order_missing_stock: hold-of-nobody hold-of-nobody: 0 -> 2', 'orphan_reservation: hold-of-nobody w1 hold-of-nobody: 0 -> 3'],
  },
  {
    item: 'hold-of-closed',
    ordered: true,
    more: (books, item) => books.ask('PUT', `/orders/${item}/cancel`, {}),
    sql: [
      `update inventory.reservation set status = 'active', closed_at = null ${OF_ITEM}`,
      `update inventory.stock_balance set reserved = 3 ${OF_ITEM}`,
    ],
    found: ['orphan_reservation: hold-of-closed w1 hold-of-closed: 0 -> 3'],
  },
  {
    item: 'waiting-lost',
    more: (books, item) =>
      books.ask('POST', '/orders', {
        orderId: item,
        customerId: 'c',
        reservationMode: 'partial',
        lines: [{ itemId: item, quantity: '12', warehouseId: 'w1' }],
      }),
    sql: [`delete from inventory.backorder ${OF_ITEM}`],
    found: ['backordered: w1 waiting-lost: 0 -> 2', 'line_backordered: waiting-lost waiting-lost: 0 -> 2'],
  },
  {
    item: 'line-held',
    ordered: true,
    sql: [setLine('reserved', '2')],
    found: [
      'line_parts: line-held w1 line-held: 3 -> 2',
      'line_reserved: line-held w1 line-held: 3 -> 2',
      'order_line: line-held line-held: 2 -> 3',
    ],
  },
  {
    item: 'line-shipped',
    ordered: true,
    more: ship,
    sql: [setLine('fulfilled', '1'), setLine('closed', '1')],
    found: [
      'order_line: line-shipped line-shipped: 1 -> 0',
      'order_line: line-shipped line-shipped: 1 -> 2',
      'shipped: line-shipped w1 line-shipped: 2 -> 1',
    ],
  },
  {
    item: 'line-returned',
    ordered: true,
    more: sendBack,
    sql: [setLine('returned', '0')],
    found: ['order_line: line-returned line-returned: 0 -> 1', 'returned: line-returned w1 line-returned: 1 -> 0'],
  },
  {
    item: 'shipment-returned',
    ordered: true,
    more: sendBack,
    sql: [`update inventory.shipment set lines = jsonb_set(lines, '{0,returned}', '"0"') ${OF_ORDER}`],
    found: ['returned_shipment: shipment-returned w1 shipment-returned: 1 -> 0'],
  },
  {
    item: 'return-lost',
    ordered: true,
    more: sendBack,
    sql: [asOwner('delete from inventory.customer_return where org_id = $1 and order_id = $2')],
    found: ['return_record: return-lost w1 return-lost: 1 -> 0'],
  },
  {
    item: 'order-stock',
    ordered: true,
    sql: [`update orders.customer_order set stock = jsonb_set(stock, '{0,reserved}', '"1"') ${OF_ORDER}`],
    found: ['order_line: order-stock order-stock: 3 -> 1'],
  },
  {
    item: 'order-quantity',
    ordered: true,
    sql: [`update orders.order_line set quantity = 4 ${OF_ORDER}`],
    found: ['order_line: order-quantity order-quantity: 3 -> 4'],
  },
  {
    item: 'order-shipment',
    ordered: true,
    more: ship,
    sql: [`update orders.shipment set status = 'cancelled' ${OF_ORDER}`],
    found: ['order_shipment: order-shipment order-shipment: 2 -> 0'],
  },
  {
    item: 'order-firm',
    ordered: true,
    sql: [`update orders.customer_order set firm = false ${OF_ORDER}`],
    found: ['order_firm: order-firm order-firm: 3 -> 0'],
  },
  {
    item: 'order-ahead',
    ordered: true,
    sql: [`update orders.customer_order set stock_sequence = 9 ${OF_ORDER}`],
    found: ['order_missing_stock: order-ahead order-ahead: 2 -> 9'],
  },
  {
    item: 'order-lost',
    ordered: true,
    sql: [
      asOwner(
        'delete from orders.order_line where org_id = $1 and order_id = $2; delete from orders.customer_order where org_id = $1 and order_id = $2',
      ),
    ],
    found: ['order_unknown: order-lost order-lost: 0 -> 3'],
  },
];
