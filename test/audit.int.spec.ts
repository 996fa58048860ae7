import type { AuditEvent } from '#libs/contracts';
import { eventually } from './support/eventually.js';
import { HttpClient } from './support/http-client.js';
import { Installation } from './support/installation.js';
import type { Outsider } from './support/outsider.js';
import type { ServiceProcess } from './support/service-process.js';

// One audit trail over what all services recorded, read over HTTP.

type Event = AuditEvent & { readonly service: string };

let installation: Installation;
let outsider: Outsider;
let url: string;
let approvals: ServiceProcess;

beforeAll(async () => {
  installation = await Installation.make(['inventory', 'orders', 'approvals', 'gateway']);
  const processes = await Promise.all((['gateway', 'approvals', 'inventory', 'orders'] as const).map((app) => installation.start(app)));
  url = processes[0]!.url;
  approvals = processes[1]!;
  outsider = await installation.outsider();
  for (const orgId of ['acme', 'twin']) await live(orgId);
}, 90_000);
afterAll(() => installation.remove(), 60_000);

/** Somebody of the organisation. */
const person = (orgId: string, userId: string, role = 'admin', warehouses?: readonly string[]) =>
  HttpClient.signIn(url, orgId, [role], userId, warehouses);

/** One of everything that is put on record, in this order. */
async function live(orgId: string): Promise<void> {
  const root = await person(orgId, 'root');
  const done = async (method: string, path: string, body: object) => {
    const answer = await root.send(method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
    return answer.body;
  };
  await root.stockUp({ apple: 10 }, 'w');
  await done('PATCH', '/settings', { returnQuarantine: false, deliveryLeadDays: 2 });
  await done('POST', '/orders', { orderId: 'o-1', customerId: 'c', lines: [{ itemId: 'apple', quantity: 4 }] });
  const opened = await done('POST', '/inventory/discrepancies', {
    ...{ warehouseId: 'w', itemId: 'apple', snapshotQuantity: 9, severity: 'high', note: 'One is missing' },
  });
  const found = `/inventory/discrepancies/${String(opened['discrepancyId'])}`;
  await done('POST', `${found}/review`, { assignedTo: 'ann' });
  await done('POST', `${found}/dismiss`, { note: 'It was behind the others' });
  await installation.database.rows(
    `insert into inventory.oversell_attempt (org_id, attempt_id, order_id, line_no, item_id, warehouse_id, requested, available, outcome, reason,
                                             phase, snapshot, discrepancy_id, actor, recorded_at)
     values ($1, gen_random_uuid(), 'o-2', 1, 'apple', 'w', 50, 6, 'refused', 'INSUFFICIENT_STOCK', 'hard', '{"onHand": "10"}',
             gen_random_uuid(), 'sam', clock_timestamp())`,
    [orgId],
  );
  const { response } = await outsider.call(
    'approvals',
    'approvals.request',
    {
      ...{ orgId, kind: 'order_override', subjectType: 'order', subjectId: 'o-2', requestedBy: 'sam', reason: 'A regular customer' },
      lines: [{ lineNo: 1, itemId: 'apple', warehouseId: 'w', quantity: '44' }],
      magnitudes: { quantity: '44', percent: '440', value: '44' },
      availabilitySnapshot: [{ onHand: '10' }],
      warehouses: ['w'],
    },
    20_000,
  );
  await done('PUT', `/approvals/${String(response!['approvalRequestId'])}/approve`, { reason: 'A truck comes' });
  const hours = { remindAfterHours: 1, escalateAfterHours: 2, expireAfterHours: 3 };
  await done('PUT', '/approvals/policies', [{ kind: 'adjustment', requiredRole: 'admin', escalateTo: [], ...hours }] as object);
}

async function eventsOf(client: HttpClient, query = ''): Promise<Event[]> {
  const { status, body } = await client.send('GET', `/audit/events?limit=500${query}`);
  expect([query, status]).toEqual([query, 200]);
  return body['items'] as Event[];
}
const types = (events: readonly Event[]) => events.map(({ service, type }) => `${service} ${type}`);

describe('the audit trail', () => {
  const EVERYTHING = [
    'approvals approval_policies_changed',
    'approvals approval_approved',
    'approvals approval_requested',
    'inventory oversell_attempt',
    'inventory discrepancy_dismissed',
    'inventory discrepancy_reviewed',
    'inventory discrepancy_opened',
    'orders order_created',
    // At one and the same time, and the last page of one event is followed by another one of the same service.
    'inventory setting_changed',
    'inventory setting_changed',
  ];

  it('is of all services, newest first, with who did it and what there was to know', async () => {
    const auditor = await person('acme', 'aud', 'auditor');
    const events = await eventsOf(auditor);
    expect(types(events).filter((type) => type !== 'orders order_status_changed')).toEqual(EVERYTHING);
    expect(new Set(events.map(({ auditEventId }) => auditEventId)).size).toBe(events.length);
    const of = (type: string) => events.find((event) => event.type === type);
    expect(of('discrepancy_reviewed')).toMatchObject({ actor: 'root', details: { status: 'under_review', assignedTo: 'ann' } });
    expect(of('discrepancy_dismissed')).toMatchObject({ actor: 'root', details: { resolutionNote: 'It was behind the others' } });
    expect(of('oversell_attempt')).toMatchObject({
      ...{ orderId: 'o-2', actor: 'sam' },
      details: { itemId: 'apple', requested: '50', available: '6', outcome: 'refused', snapshot: { onHand: '10' } },
    });
    expect(of('approval_approved')).toMatchObject({
      ...{ orderId: 'o-2', actor: 'root' },
      details: { role: 'admin', reason: 'A truck comes', requestedBy: 'sam', availabilitySnapshot: [{ onHand: '10' }] },
    });
    expect(events.filter(({ type }) => type === 'setting_changed').map(({ details }) => details)).toEqual(
      expect.arrayContaining([
        { setting: 'returnQuarantine', from: true, to: false },
        { setting: 'deliveryLeadDays', from: 0, to: 2 },
      ]),
    );
  });

  it.each([1, 2, 3, 4])('is paged without gap or repeat, %i at a time', async (limit) => {
    const auditor = await person('acme', 'aud', 'auditor');
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const { body } = await auditor.send('GET', `/audit/events?limit=${limit}${cursor === '' ? '' : `&cursor=${cursor}`}`);
      const items = body['items'] as Event[];
      expect(items.length).toBeLessThanOrEqual(limit);
      seen.push(...items.map(({ auditEventId }) => auditEventId));
      cursor = body['nextCursor'] as string | null;
    }
    expect(seen).toEqual((await eventsOf(auditor)).map(({ auditEventId }) => auditEventId));
  });

  it('is found by type, actor, order and time', async () => {
    const auditor = await person('acme', 'aud', 'auditor');
    expect(types(await eventsOf(auditor, '&type=approval_approved'))).toEqual(['approvals approval_approved']);
    expect(types(await eventsOf(auditor, '&actor=sam'))).toEqual(['approvals approval_requested', 'inventory oversell_attempt']);
    expect(types(await eventsOf(auditor, '&orderId=o-2'))).toEqual(EVERYTHING.slice(1, 4));
    expect(types(await eventsOf(auditor, '&orderId=o-1')).at(-1)).toBe('orders order_created');
    expect(await eventsOf(auditor, '&type=nothing')).toEqual([]);
    const all = await eventsOf(auditor);
    const { occurredAt } = all.find(({ type }) => type === 'discrepancy_reviewed')!;
    const since = await eventsOf(auditor, `&from=${occurredAt}`);
    const before = await eventsOf(auditor, `&to=${occurredAt}`);
    expect([...since, ...before]).toEqual(all);
    expect(since.some(({ type }) => type === 'discrepancy_reviewed')).toBe(true);
  });

  it('is of the reader: organisation, role and warehouses', async () => {
    expect(await eventsOf(await person('initech', 'aud', 'auditor'))).toEqual([]);
    expect((await (await person('acme', 'mia', 'inventory_manager')).send('GET', '/audit/events')).status).toBe(403);
    const elsewhere = await eventsOf(await person('acme', 'aud-v', 'auditor', ['v']));
    expect(types(elsewhere).filter((type) => !type.startsWith('orders'))).toEqual([
      'approvals approval_policies_changed',
      'inventory setting_changed',
      'inventory setting_changed',
    ]);
  });

  it('can only be added to', async () => {
    const records = {
      inventory: ['discrepancy_change', 'oversell_attempt', 'approval_effect', 'setting_change'],
      orders: ['audit_event'],
      approvals: ['approval_decision', 'approval_end', 'approval_policy_change'],
    };
    for (const [service, tables] of Object.entries(records)) {
      for (const table of tables) {
        const name = `${service}.${table}`;
        const rights = await installation.database.rows<{ may: string }>(
          `select distinct privilege_type as may from information_schema.table_privileges
            where table_schema = $1 and table_name = $2 and grantee <> current_user and grantee not like '%messaging%' order by may`,
          [service, table],
        );
        expect([name, rights.map(({ may }) => may)]).toEqual([name, ['INSERT', 'SELECT']]);
        const columns = await installation.database.rows(
          `select 1 from information_schema.column_privileges
            where table_schema = $1 and table_name = $2 and privilege_type = 'UPDATE' and grantee <> current_user`,
          [service, table],
        );
        expect([name, columns]).toEqual([name, []]);
      }
    }
  });

  it('is not answered without one of the services', async () => {
    const auditor = await person('acme', 'aud', 'auditor');
    await approvals.stop();
    await eventually(async () => (await auditor.send('GET', '/audit/events')).status === 503);
  });
});
