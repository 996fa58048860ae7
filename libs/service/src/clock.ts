import { statement, type Tx } from '#libs/persistence';

const read = statement<{ now: Date }>('clock_read', 'select clock_timestamp() + make_interval(secs => $1::float8) as now');

/** What time it is: by the database, so that all replicas agree. */
export class Clock {
  /** @param offsetSeconds how far it is ahead: tests move it, instead of waiting for days (`HOLDFAST_TEST_CLOCK_OFFSET_SECONDS`). */
  constructor(private readonly offsetSeconds = 0) {}

  /** The time at which the statements before this one had ended: asked for after a lock, it is the time at which the lock was got. */
  async now(tx: Tx): Promise<Date> {
    const [row] = await tx.run(read, [this.offsetSeconds]);
    return row!.now;
  }
}
