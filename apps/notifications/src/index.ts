import type { Service } from '#libs/service';
import { NotificationsModule } from './notifications.module.js';

export { NotificationsModule } from './notifications.module.js';

/** Tells people, by e-mail, Telegram and webhook, of the events that they must hear of. */
export const notifications: Service = { service: 'notifications', module: NotificationsModule };
