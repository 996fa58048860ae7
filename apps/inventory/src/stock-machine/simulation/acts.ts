import type { RunOverride, StockCommand } from '../commands.js';

/** What a command does, and by which override if it does it by one. */
export interface Act {
  readonly command: StockCommand;
  readonly override: RunOverride | null;
}

/** What a command does when it is carried out: itself, what was approved, or the movement that was let through. */
export function actOf(command: StockCommand): Act {
  if (command.kind !== 'carry-out-approval' || command.status !== 'approved') return { command, override: null };
  const { work } = command;
  return work.kind === 'run-override' ? { command: work.command, override: work } : { command: work, override: null };
}
