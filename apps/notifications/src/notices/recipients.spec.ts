import type { ListeningChannel } from '../channels/channel.sql.js';
import { chooseRecipients } from './recipients.js';

const channel = (name: string, more: Partial<ListeningChannel> = {}): ListeningChannel => ({
  channelId: name,
  kind: 'email',
  name,
  events: null,
  roles: null,
  ...more,
});

describe('chooseRecipients', () => {
  const channels = [
    channel('everything'),
    channel('of that type', { events: ['LowStockDetected', 'OrderCancelled'] }),
    channel('of another type', { events: ['ApprovalRequested'] }),
    channel('of the role', { roles: ['sales', 'warehouse'] }),
    channel('of another role', { roles: ['sales', 'auditor'] }),
    channel('of administrators', { roles: ['admin'] }),
    channel('of both', { events: ['LowStockDetected'], roles: ['inventory_manager', 'warehouse'] }),
    channel('of the role and another type', { events: ['ApprovalRequested'], roles: ['warehouse'] }),
  ];

  it('takes the channels that are for the event and for one of its roles, each once', () => {
    const chosen = chooseRecipients('LowStockDetected', ['inventory_manager', 'warehouse'], channels);
    expect(chosen.map(({ name }) => name)).toEqual(['everything', 'of that type', 'of the role', 'of administrators', 'of both']);
  });
});
