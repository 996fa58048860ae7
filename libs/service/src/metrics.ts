import { Counter, Gauge, Histogram, collectDefaultMetrics, register } from 'prom-client';

/**
 * The metrics of a process, in the default registry of prom-client, so that a library that counts with prom-client needs no
 * reference to this one. Names and labels are fixed, because dashboards and alerts are written against them
 * (docs/operating.md). Labels never carry an organisation, item or order: their number is unbounded.
 */
export const metrics = {
  /** Physical changes, and reserving and unreserving. `result`: posted, refused, flagged. */
  stockMovements: new Counter({
    name: 'stock_movements_total',
    help: 'Stock movements, by type, result and reason.',
    labelNames: ['type', 'result', 'reason'],
  }),
  /** Outcomes of set demand. `result`: reserved, partial, failed, released, expired. */
  stockReservations: new Counter({
    name: 'stock_reservations_total',
    help: 'Outcomes of reserving, by result and reason.',
    labelNames: ['result', 'reason'],
  }),
  /** From receipt of a command to its committed outcome. */
  reservationSeconds: new Histogram({
    name: 'stock_reservation_seconds',
    help: 'Seconds from receipt of a stock command to its committed outcome.',
    buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5],
  }),
  /** How many commands one transaction of the stock machine took. */
  batchCommands: new Histogram({
    name: 'stock_batch_commands',
    help: 'Commands per transaction of the stock machine.',
    buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500],
  }),
  /** What happened to requests for approval. `result`: requested, reminded, escalated, approved, rejected, expired, cancelled. */
  approvalRequests: new Counter({
    name: 'approval_requests_total',
    help: 'What happened to requests for approval, by kind and result.',
    labelNames: ['kind', 'result'],
  }),
  /** How long orders stay in a state before they leave it. */
  orderStageSeconds: new Histogram({
    name: 'order_stage_seconds',
    help: 'Seconds an order spent in a state when it left it, by state.',
    labelNames: ['stage'],
    buckets: [0.1, 1, 10, 60, 600, 3600, 21_600, 86_400, 604_800],
  }),
  /** What went wrong between services. `type`: the message; `reason`: a stable code. */
  integrationErrors: new Counter({
    name: 'integration_errors_total',
    help: 'Failed messages and calls between services, by type and reason.',
    labelNames: ['type', 'reason'],
  }),
  /** Age of the oldest event that is committed and not yet delivered. */
  outboxLagSeconds: new Gauge({
    name: 'outbox_lag_seconds',
    help: 'Age in seconds of the oldest undelivered event, by service.',
    labelNames: ['service'],
  }),
  /** Messages that wait for somebody to replay or discard them. */
  parkedMessages: new Gauge({
    name: 'parked_messages',
    help: 'Messages parked and not yet replayed or discarded, by service.',
    labelNames: ['service'],
  }),
  /** Attempts to reach people. `result`: sent, retried (it is tried again), failed (given up). */
  notificationDeliveries: new Counter({
    name: 'notification_deliveries_total',
    help: 'Attempts to deliver notifications, by kind of channel and result.',
    labelNames: ['kind', 'result'],
  }),
  /** For how long the channel has waited that has waited longest for its turn; seconds mean that too few processes send. */
  notificationWaitSeconds: new Gauge({
    name: 'notification_wait_seconds',
    help: 'Seconds for which notifications that are due have been waiting to be sent.',
  }),
  /** Of all organisations; told by the service that keeps them. */
  openDiscrepancies: new Gauge({
    name: 'stock_discrepancies_open_total',
    help: 'Discrepancies that are new or under review, by severity.',
    labelNames: ['service', 'severity'],
  }),
  /** By the last reconciliation of each organisation, summed up over them; told by the service that runs them. */
  outOfSyncItems: new Gauge({
    name: 'stock_out_of_sync_items',
    help: 'Items in warehouses at which the last reconciliation found something that disagrees.',
    labelNames: ['service'],
  }),
  inventoryAccuracy: new Gauge({
    name: 'inventory_accuracy_ratio',
    help: 'Share of the items in warehouses at which the last reconciliation found nothing that disagrees.',
    labelNames: ['service'],
  }),
};

let collecting = false;

/** Also collects memory, CPU and event-loop lag of the process; once per process, however many services run in it. */
export function collectProcessMetrics(): void {
  if (collecting) return;
  collecting = true;
  collectDefaultMetrics();
}

type Measure = () => Promise<void>;
const measures = new Set<Measure>();

/**
 * Has `measure` set gauges each time the metrics are read.
 *
 * @returns what ends that.
 */
export function onScrape(measure: Measure): () => void {
  measures.add(measure);
  return () => measures.delete(measure);
}

/** All metrics in the text format of Prometheus. A measurement that fails leaves its gauge as it was. */
export async function renderMetrics(): Promise<{ contentType: string; body: string }> {
  await Promise.allSettled([...measures].map((measure) => measure()));
  return { contentType: register.contentType, body: await register.metrics() };
}
