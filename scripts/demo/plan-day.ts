import { Random } from './random.js';

/** What becomes of an order after it was placed. */
export type Fate = 'stays_open' | 'confirmed_only' | 'cancelled' | 'shipped' | 'shipped_in_two' | 'returned';

export interface PlannedOrder {
  readonly customerId: string;
  readonly reservationMode: 'all_or_nothing' | 'partial';
  readonly lines: readonly { readonly itemId: string; readonly warehouseId: string; readonly quantity: number }[];
  readonly fate: Fate;
  /** How a returned unit is found at inspection. */
  readonly verdict: 'available' | 'damaged';
}

export interface PlannedReceipt {
  readonly warehouseId: string;
  readonly lines: readonly { readonly itemId: string; readonly quantity: number; readonly unitCost: string }[];
}

/** One day, decided beforehand: the same seed gives the same day. */
export interface Day {
  readonly morningReceipts: readonly PlannedReceipt[];
  readonly morningOrders: readonly PlannedOrder[];
  /** What the afternoon lorry brings; it fills what waits. */
  readonly afternoonReceipts: readonly PlannedReceipt[];
  readonly afternoonOrders: readonly PlannedOrder[];
}

export const WAREHOUSES = [
  { warehouseId: 'berlin', name: 'Berlin', priority: 1 },
  { warehouseId: 'lyon', name: 'Lyon', priority: 2 },
] as const;

/** The catalogue: price, cost, and how often it is asked for. */
const CATALOGUE = [
  ['kettle', 'Kettle, 1.7 l', '39.90', '18.40', 9],
  ['toaster', 'Toaster', '34.90', '15.10', 6],
  ['espresso-machine', 'Espresso machine', '349.00', '201.00', 3],
  ['coffee-grinder', 'Coffee grinder', '89.00', '41.50', 5],
  ['teapot', 'Teapot, stoneware', '28.50', '11.20', 4],
  ['mug-blue', 'Mug, blue', '9.90', '2.80', 12],
  ['mug-white', 'Mug, white', '9.90', '2.80', 10],
  ['cutting-board', 'Cutting board, oak', '24.90', '9.60', 5],
  ['chef-knife', 'Chef’s knife, 20 cm', '79.00', '33.00', 4],
  ['frying-pan', 'Frying pan, 28 cm', '59.00', '26.30', 5],
  ['saucepan', 'Saucepan, 2 l', '49.00', '21.70', 4],
  ['scales', 'Kitchen scales', '29.90', '12.90', 3],
] as const;

export const ITEMS = CATALOGUE.map(([itemId, name, unitPrice]) => ({ itemId, name, unitPrice }));

/** The item that everybody wants at once: 5 units, 20 customers. */
export const RUSH = {
  itemId: 'lamp-limited',
  name: 'Lamp, limited edition',
  unitPrice: '129.00',
  unitCost: '61.00',
  units: 5,
  customers: 20,
};

const FATES: Readonly<Record<Fate, number>> = {
  stays_open: 6,
  confirmed_only: 10,
  cancelled: 9,
  shipped: 53,
  shipped_in_two: 10,
  returned: 12,
};
const CUSTOMERS = 60;
/** What an order asks for on average. */
const UNITS_PER_ORDER = 3.8;

/** Plans a day with this many orders. The morning's stock covers most of its demand, but not all of it. */
export function planDay(seed: number, orders: number): Day {
  const random = new Random(seed);
  const inMorning = Math.ceil(orders * 0.6);
  return {
    morningReceipts: WAREHOUSES.map(({ warehouseId }) => planReceipt(random, warehouseId, inMorning * 0.85)),
    morningOrders: Array.from({ length: inMorning }, () => planOrder(random)),
    afternoonReceipts: WAREHOUSES.map(({ warehouseId }) => planReceipt(random, warehouseId, (orders - inMorning) * 0.9)),
    afternoonOrders: Array.from({ length: orders - inMorning }, () => planOrder(random)),
  };
}

function planOrder(random: Random): PlannedOrder {
  const warehouseId = random.weighted({ berlin: 2, lyon: 1 });
  const items = new Set(Array.from({ length: random.between(1, 3) }, () => random.weighted(POPULARITY)));
  return {
    customerId: `customer-${String(random.between(1, CUSTOMERS)).padStart(2, '0')}`,
    reservationMode: random.weighted({ all_or_nothing: 4, partial: 1 }),
    lines: [...items].map((itemId) => ({ itemId, warehouseId, quantity: random.between(1, 3) })),
    fate: random.weighted(FATES),
    verdict: random.weighted({ available: 3, damaged: 1 }),
  };
}

const POPULARITY = Object.fromEntries(CATALOGUE.map(([itemId, , , , weight]) => [itemId, weight]));

/** Stock for about this many orders, by how often each item is asked for, and never quite as foreseen. */
function planReceipt(random: Random, warehouseId: string, orders: number): PlannedReceipt {
  const share = warehouseId === WAREHOUSES[0].warehouseId ? 2 / 3 : 1 / 3;
  const weights = CATALOGUE.reduce((sum, [, , , , weight]) => sum + weight, 0);
  return {
    warehouseId,
    lines: CATALOGUE.map(([itemId, , , unitCost, weight]) => {
      const expected = (orders * UNITS_PER_ORDER * share * weight) / weights;
      return { itemId, unitCost, quantity: Math.max(1, Math.round(expected * (0.7 + random.next() * 0.7))) };
    }),
  };
}
