import type { StockCommand } from '../commands.js';
import { decide } from '../decide.js';
import type { Balance } from '../balance.js';
import type { StockState } from '../stock-state.js';
import type { Decide } from './memory-stock.js';
import type { someDay } from './steps.js';

/** A machine with one fault, and what of the simulation's words it must be noticed by. */
export interface Mutant {
  readonly decide: Decide;
  readonly noticed: RegExp;
  /** A day on which it does harm, where on most days it does none. */
  readonly day?: typeof someDay;
}

/** Decides, and then spoils what was decided. */
export const afterwards =
  (spoil: (state: StockState, command: StockCommand) => void): Decide =>
  (state, command) => {
    const outcome = decide(state, command);
    spoil(state, command);
    return outcome;
  };

/** Decides while the balances look different from what they are. */
export const believing =
  (lie: (balance: Balance) => Partial<Balance>, kind: StockCommand['kind'] = 'set-demand'): Decide =>
  (state, command) => {
    if (command.kind !== kind) return decide(state, command);
    const lies = [...state.balances.values()].flatMap((balance) =>
      Object.entries(lie(balance)).map(([term, lied]) => ({ balance, term: term as 'onHand', lied: lied as bigint })),
    );
    const truths = lies.map(({ balance, term }) => balance[term]);
    for (const { balance, term, lied } of lies) balance[term] = lied;
    try {
      return decide(state, command);
    } finally {
      lies.forEach(({ balance, term, lied }, index) => (balance[term] = truths[index]! + balance[term] - lied));
    }
  };
