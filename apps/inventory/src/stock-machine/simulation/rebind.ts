import { aboutDiscrepancy, type Discrepancy, isOpen } from '../../discrepancies/discrepancy.js';
import type { CarryOutApproval, KeptMovement, StockCommand } from '../commands.js';
import { askedToOverride, discrepancyIdOf, isRefusal } from './found-commands.js';

// What was said of discrepancies that one machine found, said of those that another one found that was told the same: it gave them other ids.

/** The command, of another organisation. */
export function ofOrg(command: StockCommand, orgId: string): StockCommand {
  const event = command.meta.event && { ...command.meta.event, orgid: orgId };
  const moved = { ...command, orgId, meta: { ...command.meta, event } };
  if (moved.kind !== 'carry-out-approval') return moved;
  const { work } = moved;
  const kept = work.kind === 'run-override' ? { command: { ...work.command, orgId } } : {};
  return { ...moved, work: { ...work, ...kept, orgId } as CarryOutApproval['work'] };
}

/** One machine's words for what the other one found. */
export class Rebinding {
  private readonly bound = new Map<string, string>();
  private readonly works = new Map<string, CarryOutApproval>();
  /** The refused movements that discrepancies are about, as far as somebody wants them to be let through. */
  private readonly refused = new Map<string, string>();

  /** @param commands all that will be said. */
  constructor(commands: readonly StockCommand[]) {
    for (const command of commands) {
      if (command.kind !== 'carry-out-approval' || command.work.kind !== 'run-override') continue;
      this.refused.set(`${command.orgId}/${command.subjectId}`, nameOf(command.work.command));
    }
  }

  /** @param known what the machine knows of the command's organisation; asked for only when it matters. */
  async of(command: StockCommand, known: () => Promise<readonly Discrepancy[]>): Promise<StockCommand> {
    switch (command.kind) {
      case 'review-discrepancy':
      case 'close-discrepancy':
      case 'await-approval': {
        const found = await this.find(command.orgId, command.discrepancyId, known, command.place);
        return found === undefined ? command : { ...command, ...aboutDiscrepancy(found) };
      }
      case 'carry-out-approval':
        return await this.decided(command, known);
      default:
        return command;
    }
  }

  /** What was asked is the same however often it is heard what became of it. */
  private async decided(command: CarryOutApproval, known: () => Promise<readonly Discrepancy[]>): Promise<CarryOutApproval> {
    const { orgId, work, subjectId } = command;
    if (work.kind === 'adjust-stock') return command;
    const key = `${orgId}/${command.approvalRequestId}`;
    const before = this.works.get(key);
    if (before !== undefined) return { ...before, meta: command.meta };
    const found = await this.find(orgId, subjectId, known, work.kind === 'run-override' ? null : work.place);
    if (found === undefined || (work.kind === 'run-override' && !isOpen(found))) return command;
    const about = aboutDiscrepancy(found);
    const again =
      work.kind === 'run-override'
        ? {
            ...askedToOverride(
              found,
              (await known()).filter((one) => isOpen(one) && isRefusal(one)),
              work.meta,
            ).work,
            reason: work.reason,
          }
        : { ...work, ...about };
    const rebound = { ...command, subjectId: about.discrepancyId, work: again };
    this.works.set(key, rebound);
    return rebound;
  }

  /** The first that it may be and that stands for no other yet. */
  private async find(
    orgId: string,
    discrepancyId: string,
    known: () => Promise<readonly Discrepancy[]>,
    place: Place,
  ): Promise<Discrepancy | undefined> {
    // What somebody reported has the id that he gave it.
    if (discrepancyId.startsWith(REPORTED)) return undefined;
    const key = `${orgId}/${discrepancyId}`;
    const all = await known();
    const bound = this.bound.get(key);
    if (bound !== undefined) return all.find((one) => one.discrepancyId === bound);
    const taken = new Set(this.bound.values());
    const refused = this.refused.get(key);
    const candidates = all.filter((one) => {
      if (!isOpen(one) || one.discrepancyId.startsWith(REPORTED) || taken.has(one.discrepancyId)) return false;
      return refused === undefined ? isAt(one, place) : isRefusal(one) && nameOf(one.command as KeptMovement) === refused;
    });
    const [found] = candidates.sort((a, b) => (a.discrepancyId < b.discrepancyId ? -1 : 1));
    if (found !== undefined) this.bound.set(key, found.discrepancyId);
    return found;
  }
}

const REPORTED = discrepancyIdOf(0).slice(0, 23);

type Place = { readonly warehouseId: string; readonly itemId: string; readonly lot: string | null } | null;

function isAt(found: Discrepancy, place: Place): boolean {
  if (place === null) return found.warehouseId === null;
  return found.warehouseId === place.warehouseId && found.itemId === place.itemId && found.lot === place.lot;
}

function nameOf(kept: KeptMovement): string {
  if (kept.kind === 'ship') return kept.shipmentId;
  return kept.kind === 'transfer-stock' ? kept.transferId : kept.commandId;
}
