import type { Channel, NotificationDelivery } from '#libs/contracts';

export const aChannel: Channel = {
  channelId: '019cb5b1-0000-7000-8000-000000000006',
  kind: 'webhook',
  name: 'Purchasing',
  target: 'https://hooks.example.com/holdfast',
  events: ['LowStockDetected'],
  roles: ['inventory_manager'],
  enabled: true,
  problem: null,
  createdAt: '2026-03-01T08:00:00.000Z',
  createdBy: 'ann',
  updatedAt: '2026-03-01T08:00:00.000Z',
  updatedBy: 'ann',
};

export const aBareChannel: Channel = {
  ...aChannel,
  kind: 'email',
  target: 'stock@example.com',
  events: null,
  roles: null,
  problem: 'No e-mail is sent, because the operator has not set SMTP_URL and SMTP_FROM.',
};

export const aWaitingDelivery: NotificationDelivery = {
  deliveryId: '019cb5b1-0000-7000-8000-000000000007',
  channelId: aChannel.channelId,
  channelName: 'Purchasing',
  kind: 'webhook',
  eventType: 'LowStockDetected',
  eventId: '019cb5b1-0000-7000-8000-000000000008',
  subject: 'coffee-1kg',
  title: 'Low stock: coffee-1kg in berlin',
  status: 'waiting',
  attempts: 1,
  nextAttemptAt: '2026-03-01T10:00:10.000Z',
  lastError: 'The receiver answered 500.',
  createdAt: '2026-03-01T10:00:00.000Z',
  sentAt: null,
};

export const aSentDelivery: NotificationDelivery = {
  ...aWaitingDelivery,
  status: 'sent',
  nextAttemptAt: null,
  lastError: null,
  sentAt: '2026-03-01T10:00:01.000Z',
};
