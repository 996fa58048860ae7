import type { OutgoingNotice } from './sender.js';

/** What is sent unless a test says otherwise. */
export const aNotice: OutgoingNotice = {
  deliveryId: '019cb5b1-0000-7000-8000-000000000007',
  orgId: 'acme',
  target: 'https://hooks.example.com/',
  secret: `whsec_${Buffer.from('a key that is long enough for it').toString('base64')}`,
  eventId: '019cb5b1-0000-7000-8000-000000000008',
  eventType: 'LowStockDetected',
  subject: 'coffee-1kg',
  occurredAt: new Date('2026-03-01T10:00:00Z'),
  title: 'Low stock: coffee-1kg in berlin',
  lines: ['5 of coffee-1kg left in warehouse berlin; the threshold is 20.'],
  data: { itemId: 'coffee-1kg', warehouseId: 'berlin', onHand: '5', threshold: '20' },
};
