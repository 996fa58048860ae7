import type { ChannelKind, Role } from '#libs/contracts';

/** A channel as it is stored, without its secret. */
export interface StoredChannel {
  readonly channelId: string;
  readonly kind: ChannelKind;
  readonly name: string;
  readonly target: string;
  /** Null: all. */
  readonly events: readonly string[] | null;
  /** Null: all. */
  readonly roles: readonly Role[] | null;
  readonly enabled: boolean;
  readonly createdAt: Date;
  readonly createdBy: string;
  readonly updatedAt: Date;
  readonly updatedBy: string;
}
