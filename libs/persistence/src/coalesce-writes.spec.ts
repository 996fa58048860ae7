import { once } from 'node:events';
import { createServer, type AddressInfo, Socket } from 'node:net';
import { coalesceWrites } from './coalesce-writes.js';

/** How often a socket went to the operating system for what `use` wrote, and what arrived. */
async function sent(use: (socket: Socket) => void, make: (port: number) => Promise<Socket>): Promise<{ packets: number; text: string }> {
  let text = '';
  const server = createServer((peer) => peer.on('data', (data) => (text += data.toString()))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = await make((server.address() as AddressInfo).port);
  let packets = 0;
  for (const name of ['_write', '_writev'] as const) {
    const original = (socket[name] as (...args: unknown[]) => unknown).bind(socket);
    Object.assign(socket, { [name]: (...args: unknown[]) => (packets++, original(...args)) });
  }
  use(socket);
  socket.end();
  await once(socket, 'close');
  server.close();
  return { packets, text };
}

const connectFirst = async (port: number) => {
  const socket = new Socket().connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return coalesceWrites(socket);
};
const connectAfterwards = async (port: number) => {
  const socket = coalesceWrites(new Socket());
  socket.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
};

describe('coalesced writes', () => {
  it.each([
    ['a connected socket', connectFirst],
    ['a socket that is still to be connected', connectAfterwards],
  ])('of %s go out together and in order', async (_, make) => {
    const write = (socket: Socket) => {
      for (const part of ['a', 'b', 'c']) socket.write(part);
    };
    expect(await sent(write, make)).toEqual({ packets: 1, text: 'abc' });
  });
});
