import type { Channel } from '#libs/contracts';
import { type HoldfastError, notFound } from '#libs/domain';
import type { Senders } from '../sending/sender.js';
import type { StoredChannel } from './channel.js';

/** A channel as it is shown. */
export function toChannel({ createdAt, updatedAt, ...channel }: StoredChannel, senders: Senders): Channel {
  const problem = channel.enabled ? senders[channel.kind].problem : 'The channel is switched off.';
  return { ...channel, problem, createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString() };
}

export function channelNotFound(channelId: string): HoldfastError {
  return notFound('NOT_FOUND', `There is no notification channel ${channelId}.`);
}
