import { DEFAULT_STOCK_SETTINGS, type RequestOf, SettingsGet, SettingsHistory, SettingsUpdate } from '#libs/contracts';
import { startTestService, type TestService } from '#libs/testing';
import { inventory } from '../index.js';

/** Another value for each; a setting that is added and not named here does not compile. */
const OTHERS: Required<RequestOf<typeof SettingsUpdate>> = {
  softReservationTtlSeconds: 60,
  defaultReorderPoint: '5',
  reservationMode: 'partial',
  returnQuarantine: false,
  currency: 'CHF',
  deliveryLeadDays: 3,
  timezone: 'Europe/Berlin',
  sourcingStrategy: 'most_stock',
  minRemainingShelfLifeDays: 7,
  enforcementPhase: 'dark',
  allowInventoryOversell: true,
  discrepancyLockPolicy: 'monitor',
  softBlockPercent: '10',
  tolerance: { quantity: '1', percent: '2' },
  severityPercents: ['1', '2', '3'],
  reconciliationCron: '0 3 * * *',
  dryRun: false,
};

describe('settings', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startTestService(inventory);
    await service.database.rows('create table inventory.said (id uuid, event bytea)');
    await service.database.rows(`create function inventory.keep_said() returns trigger language plpgsql security definer as
      $$ begin insert into inventory.said values (new.id, new.event); return new; end $$`);
    await service.database.rows(
      'create trigger keep_said before insert on inventory.outbox for each row execute function inventory.keep_said()',
    );
  });
  afterAll(() => service.stop());

  /** Everything that was ever put into the outbox, from which what nobody waits for is soon gone. */
  const changesSaid = async (orgId: string) => {
    const rows = await service.database.rows<{ event: Buffer }>('select event from inventory.said order by id');
    const events = rows.map(({ event }) => JSON.parse(event.toString()) as { type: string; orgid: string; actor: string; data: unknown });
    return events.filter(({ type, orgid }) => type === 'SettingsChanged' && orgid === orgId);
  };
  const history = async (orgId: string, limit = 50, cursor?: string) =>
    await service.call(SettingsHistory, { orgId, limit, ...(cursor && { cursor }) });

  it('are the defaults while nothing else was said', async () => {
    expect(await service.call(SettingsGet, { orgId: 'new' })).toEqual(DEFAULT_STOCK_SETTINGS);
    expect(await history('new')).toEqual({ items: [], nextCursor: null });
  });

  it('change, keep each change in the history, and say so once', async () => {
    const changed = await service.call(
      SettingsUpdate,
      { orgId: 'a', defaultReorderPoint: '5.50', returnQuarantine: false },
      { userId: 'ann' },
    );
    expect(changed).toEqual({ ...DEFAULT_STOCK_SETTINGS, defaultReorderPoint: '5.5', returnQuarantine: false });
    expect(await service.call(SettingsGet, { orgId: 'a' })).toEqual(changed);
    await service.call(SettingsUpdate, { orgId: 'a', defaultReorderPoint: null }, { userId: 'bob' });
    const { items } = await history('a');
    expect(items[0]).toEqual({ setting: 'defaultReorderPoint', from: '5.5', to: null, actor: 'bob', changedAt: expect.any(String) });
    expect(
      items
        .slice(1)
        .map(({ setting, from, to, actor }) => [setting, from, to, actor])
        .sort(),
    ).toEqual([
      ['defaultReorderPoint', null, '5.5', 'ann'],
      ['returnQuarantine', true, false, 'ann'],
    ]);
    expect((await service.call(SettingsGet, { orgId: 'a' })).defaultReorderPoint).toBeNull();
  });

  it('keep the history of each setting that there is', async () => {
    const { dryRun: _, ...others } = OTHERS;
    await service.call(SettingsUpdate, { orgId: 'all', ...others }, { userId: 'ann' });
    expect(await service.call(SettingsGet, { orgId: 'all' })).toEqual(others);
    const kept = (await history('all')).items.map(({ setting, from, to, actor }) => [setting, { from, to, actor }] as const);
    const expected = Object.entries(others).map(([setting, to]) => {
      return [setting, { from: DEFAULT_STOCK_SETTINGS[setting as keyof typeof others], to, actor: 'ann' }] as const;
    });
    expect(Object.fromEntries(kept)).toEqual(Object.fromEntries(expected));
    expect(kept.length).toBe(expected.length);
  });

  it('keep days and time zone with the others', async () => {
    const changed = await service.call(SettingsUpdate, { orgId: 'days', deliveryLeadDays: 3, timezone: 'America/New_York' });
    expect(changed).toEqual({ ...DEFAULT_STOCK_SETTINGS, deliveryLeadDays: 3, timezone: 'America/New_York' });
    expect(await service.call(SettingsGet, { orgId: 'days' })).toEqual(changed);
    expect((await history('days')).items.map(({ setting, to }) => [setting, to])).toEqual(
      expect.arrayContaining([
        ['deliveryLeadDays', 3],
        ['timezone', 'America/New_York'],
      ]),
    );
    await expect(service.call(SettingsUpdate, { orgId: 'days', timezone: 'Mars/Crater' })).rejects.toMatchObject({ kind: 'invalid' });
    expect(await service.call(SettingsGet, { orgId: 'days' })).toEqual(changed);
  });

  it('say nothing when nothing changes', async () => {
    await service.call(SettingsUpdate, { orgId: 'same', softReservationTtlSeconds: 60 });
    await service.call(SettingsUpdate, { orgId: 'same', softReservationTtlSeconds: 60 });
    expect((await history('same')).items).toHaveLength(1);
    expect((await service.call(SettingsGet, { orgId: 'same' })).softReservationTtlSeconds).toBe(60);
  });

  it('change nothing in a dry run', async () => {
    expect(await service.call(SettingsUpdate, { orgId: 'dry', currency: 'CHF', dryRun: true })).toEqual({
      ...DEFAULT_STOCK_SETTINGS,
      currency: 'CHF',
      dryRun: true,
    });
    expect(await service.call(SettingsGet, { orgId: 'dry' })).toEqual(DEFAULT_STOCK_SETTINGS);
    expect((await history('dry')).items).toEqual([]);
  });

  it('publish the settings as they are then', async () => {
    const settings = await service.call(SettingsUpdate, { orgId: 'event', reservationMode: 'partial' }, { userId: 'ann' });
    const said = await changesSaid('event');
    expect(said).toEqual([expect.objectContaining({ orgid: 'event', actor: 'ann', subject: 'event', data: settings })]);
  });

  it('lose none of many changes at once, and tell them in the order in which they happened', async () => {
    const seconds = Array.from({ length: 20 }, (_, n) => n + 1);
    await Promise.all(
      seconds.map((softReservationTtlSeconds) => service.call(SettingsUpdate, { orgId: 'busy', softReservationTtlSeconds })),
    );
    const { items } = await history('busy');
    expect(items).toHaveLength(20);
    const oldestFirst = items.toReversed();
    expect(oldestFirst[0]!.from).toBe(DEFAULT_STOCK_SETTINGS.softReservationTtlSeconds);
    for (const [index, change] of oldestFirst.entries()) if (index > 0) expect(change.from).toBe(oldestFirst[index - 1]!.to);
    expect((await service.call(SettingsGet, { orgId: 'busy' })).softReservationTtlSeconds).toBe(items[0]!.to);
  });

  it('page their history without gap or repeat while changes go on', async () => {
    for (let n = 1; n <= 5; n++)
      await service.call(SettingsUpdate, { orgId: 'paged', softReservationTtlSeconds: n, returnQuarantine: n % 2 === 0 });
    const all = (await history('paged')).items;
    const first = await history('paged', 3);
    await service.call(SettingsUpdate, { orgId: 'paged', softReservationTtlSeconds: 99 });
    const second = await history('paged', 500, first.nextCursor!);
    expect([...first.items, ...second.items]).toEqual(all);
  });

  it('have a currency that may be changed until goods were received', async () => {
    await service.call(SettingsUpdate, { orgId: 'money', currency: 'CHF' });
    await service.database.rows(
      `insert into inventory.movement (org_id, movement_id, movement_type, ref_type, ref_id, lines, occurred_at, recorded_at)
       values ('money', gen_random_uuid(), 'receipt', 'receipt', 'R1', '[]', now(), now())`,
    );
    const refused = expect.objectContaining({ kind: 'rejected', code: 'STOCK_VALIDATION' });
    await expect(service.call(SettingsUpdate, { orgId: 'money', currency: 'USD' })).rejects.toEqual(refused);
    await expect(service.call(SettingsUpdate, { orgId: 'money', currency: 'USD', dryRun: true })).rejects.toEqual(refused);
    expect(await service.call(SettingsUpdate, { orgId: 'money', currency: 'CHF', returnQuarantine: false })).toMatchObject({
      currency: 'CHF',
    });
    // Of this organisation only.
    expect(await service.call(SettingsUpdate, { orgId: 'other-money', currency: 'USD' })).toMatchObject({ currency: 'USD' });
  });

  it("are each organisation's own", async () => {
    await service.call(SettingsUpdate, { orgId: 'org-a', softReservationTtlSeconds: 1 });
    await service.call(SettingsUpdate, { orgId: 'org-b', softReservationTtlSeconds: 2 });
    expect((await service.call(SettingsGet, { orgId: 'org-a' })).softReservationTtlSeconds).toBe(1);
    expect((await history('org-b')).items.map(({ to }) => to)).toEqual([2]);
  });
});
