import { uuidv7 } from './ids.js';

describe('uuidv7', () => {
  // More than a millisecond has room for, so that it borrows from the next ones.
  const ids = Array.from({ length: 20_000 }, uuidv7);

  it('is a UUID of version 7 that begins with the time', () => {
    const id = uuidv7();
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const beganMs = Number.parseInt(id.slice(0, 13).replace('-', ''), 16);
    expect(Math.abs(beganMs - Date.now())).toBeLessThan(1_000);
  });

  it('comes after all that were made before', () => {
    expect(ids.toSorted()).toEqual(ids);
  });

  it('is never made twice, and is random beside its time and turn', () => {
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(ids.map((id) => id.slice(19))).size).toBe(ids.length);
  });
});
