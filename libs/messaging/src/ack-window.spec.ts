import { setImmediate as nextTurn } from 'node:timers/promises';
import { AckWindow } from './ack-window.js';

describe('AckWindow', () => {
  const acked: string[] = [];
  const window = (heldMax = 100) => new AckWindow((tag, allUpTo) => acked.push(allUpTo ? `..${tag}` : `${tag}`), heldMax);
  beforeEach(() => acked.splice(0));

  it('acknowledges what a turn finished by one frame', async () => {
    const acks = window();
    for (const tag of [1, 3, 2]) acks.done(tag);
    await nextTurn();
    expect(acked).toEqual(['..3']);
  });

  it('waits behind a gap', async () => {
    const acks = window();
    for (const tag of [1, 3, 4]) acks.done(tag);
    await nextTurn();
    expect(acked).toEqual(['..1']);
    acks.done(2);
    await nextTurn();
    expect(acked).toEqual(['..1', '..4']);
  });

  it('passes by a slow one when too many wait behind it, and never closes a range with a tag that is acknowledged', async () => {
    const acks = window(2);
    for (const tag of [2, 3, 4]) acks.done(tag);
    await nextTurn();
    expect(acked).toEqual(['2', '3', '4']);
    acks.done(1);
    await nextTurn();
    expect(acked.slice(3)).toEqual(['..1']);
    acks.done(5);
    await nextTurn();
    expect(acked.slice(4)).toEqual(['..5']);
  });

  it('acknowledges nothing of a channel that is lost', async () => {
    const acks = window();
    acks.done(1);
    acks.close();
    await nextTurn();
    acks.done(2);
    await nextTurn();
    expect(acked).toEqual([]);
  });
});
