import type { Role } from '#libs/contracts';
import type { ListeningChannel } from '../channels/channel.sql.js';

/**
 * The channels that are told of an event of a type: those that are for it and are read by somebody who has one of the roles. Administrators
 * are told of everything (docs/rules.md, "Notifications").
 */
export function chooseRecipients(type: string, roles: readonly Role[], channels: readonly ListeningChannel[]): ListeningChannel[] {
  return channels.filter(
    (channel) =>
      (channel.events === null || channel.events.includes(type)) &&
      (channel.roles === null || channel.roles.some((role) => role === 'admin' || roles.includes(role))),
  );
}
