import { planDay } from './plan-day.js';

describe('the plan of a day', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(planDay(1, 50)).toEqual(planDay(1, 50));
    expect(planDay(1, 50)).not.toEqual(planDay(2, 50));
  });

  it('has every fate, and more demand than stock for some item', () => {
    const day = planDay(1, 150);
    const orders = [...day.morningOrders, ...day.afternoonOrders];
    expect(orders).toHaveLength(150);
    expect(new Set(orders.map((order) => order.fate)).size).toBe(6);
    const stock = new Map<string, number>();
    for (const { warehouseId, lines } of day.morningReceipts) {
      for (const { itemId, quantity } of lines) stock.set(`${itemId} ${warehouseId}`, quantity);
    }
    for (const { lines } of day.morningOrders) {
      for (const { itemId, warehouseId, quantity } of lines) {
        stock.set(`${itemId} ${warehouseId}`, stock.get(`${itemId} ${warehouseId}`)! - quantity);
      }
    }
    expect([...stock.values()].some((left) => left < 0)).toBe(true);
  });
});
