import { signActorToken } from '#libs/auth';
import type { ApprovalRequest } from '#libs/contracts';
import { eventually } from '../support/eventually.js';
import { Installation } from '../support/installation.js';
import { NoAnswer, type Outsider } from '../support/outsider.js';

// The approvals service dies between any two steps of what it does. Whoever asked asks again; in the end each request was made once,
// decided once, and everything about it told once.

const ORG = 'acme';
const DAY_AND_HOUR_SECONDS = 25 * 3_600;

/** An installation of its own, because what one death leaves behind would be the next one's. */
class Mortal {
  private constructor(
    readonly point: string,
    private readonly installation: Installation,
    private readonly outsider: Outsider,
  ) {}

  static async make(point: string): Promise<Mortal> {
    const installation = await Installation.make(['approvals']);
    return new Mortal(point, installation, await installation.outsider());
  }

  /** The point, and the two things that were told of a request, or whatever it was instead, by name. */
  async told(subject: string): Promise<string[]> {
    const types = () => this.outsider.heard.flatMap((event) => (event.subject === subject ? [event.type] : [])).sort();
    await eventually(() => types().length >= 2);
    return [this.point, ...types()];
  }

  /** Does `work` with a process that dies at the point, as soon as it gets there. */
  async dying(work: () => Promise<unknown>, env: Readonly<Record<string, string>> = {}): Promise<void> {
    const process = this.installation.begin('approvals', { HOLDFAST_CRASH_AT: `approvals:${this.point}`, ...env });
    const ready = process.untilReady().then(work, () => undefined);
    expect([this.point, await process.ended]).toEqual([this.point, 'SIGKILL']);
    await ready;
  }

  /** Does `work` with a process that lives, and waits until all that is committed was told. */
  async living<T>(work: () => Promise<T>, env: Readonly<Record<string, string>> = {}): Promise<T> {
    const process = await this.installation.start('approvals', env);
    const result = await work();
    const left = () => this.installation.database.rows('select id from approvals.outbox');
    expect([this.point, await eventually(async () => (await left()).length === 0)]).toEqual([this.point, true]);
    await process.stop();
    return result;
  }

  async ask(): Promise<ApprovalRequest | null> {
    return await this.call('approvals.request', {
      ...{ kind: 'adjustment', subjectType: 'adjustment', subjectId: 'a-1', requestedBy: 'ann', reason: 'r', availabilitySnapshot: null },
      lines: [{ itemId: 'a', warehouseId: 'w', quantity: '-1' }],
      magnitudes: { quantity: '1', percent: '1', value: '1' },
      warehouses: ['w'],
    });
  }

  async approve({ approvalRequestId }: ApprovalRequest): Promise<ApprovalRequest | null> {
    const actor = await signActorToken({ userId: 'bob', orgId: ORG, roles: ['inventory_manager'], warehouses: null });
    return await this.call('approvals.approve', { approvalRequestId, reason: 'fine', actor });
  }

  async remove(): Promise<void> {
    await this.installation.remove();
  }

  async rows(text: string): Promise<unknown[]> {
    return await this.installation.database.rows(text);
  }

  /** Null when whoever was asked died of it. */
  private async call(pattern: string, data: object): Promise<ApprovalRequest | null> {
    const answer = await this.outsider.call('approvals', pattern, { orgId: ORG, ...data }, 5_000).catch((error: unknown) => {
      if (error instanceof NoAnswer) return null;
      throw error;
    });
    if (answer?.err !== undefined) throw new Error(`${pattern}: ${answer.err.code}: ${answer.err.message}`);
    return answer && (answer.response as unknown as ApprovalRequest);
  }
}

let mortals: Mortal[] = [];
afterEach(() => Promise.all(mortals.splice(0).map((mortal) => mortal.remove())), 60_000);

it('makes, decides and tells a request once, wherever it dies', async () => {
  mortals = await Promise.all(['after-commit', 'before-answer', 'relay-after-commit'].map((point) => Mortal.make(point)));
  await Promise.all(
    mortals.map(async (mortal) => {
      await mortal.dying(() => mortal.ask());
      const request = (await mortal.living(() => mortal.ask()))!;
      await mortal.dying(() => mortal.approve(request));
      const decided = await mortal.living(() => mortal.approve(request));
      expect(decided).toMatchObject({ approvalRequestId: request.approvalRequestId, status: 'approved', decisions: [{ by: 'bob' }] });
      const rows = await mortal.rows('select 1 from approvals.approval_request left join approvals.approval_decision using (org_id)');
      expect([mortal.point, rows.length]).toEqual([mortal.point, 1]);
      expect(await mortal.told(request.approvalRequestId)).toEqual([mortal.point, 'ApprovalDecided', 'ApprovalRequested']);
    }),
  );
}, 240_000);

it('reminds once, wherever it dies of reminding', async () => {
  mortals = await Promise.all(['after-sweep', 'relay-after-publish'].map((point) => Mortal.make(point)));
  const later = { HOLDFAST_TEST_CLOCK_OFFSET_SECONDS: String(DAY_AND_HOUR_SECONDS) };
  await Promise.all(
    mortals.map(async (mortal) => {
      const request = (await mortal.living(() => mortal.ask()))!;
      await mortal.dying(() => Promise.resolve(), later);
      await mortal.living(() => Promise.resolve(), later);
      expect(await mortal.told(request.approvalRequestId)).toEqual([mortal.point, 'ApprovalReminded', 'ApprovalRequested']);
    }),
  );
}, 240_000);
