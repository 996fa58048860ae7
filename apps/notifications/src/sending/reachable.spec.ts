import fc from 'fast-check';
import { literalAddress, Reachable } from './reachable.js';

const nobody = new Reachable([]);

describe('Reachable', () => {
  it.each([
    ...['127.0.0.1', '127.8.9.10', '0.0.0.0', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '169.254.169.254', '100.64.0.1'],
    ...[
      '192.0.0.170',
      '192.0.2.1',
      '198.18.0.1',
      '198.51.100.7',
      '203.0.113.9',
      '192.88.99.1',
      '224.0.0.1',
      '240.0.0.1',
      '255.255.255.255',
    ],
    ...[
      '::',
      '::1',
      'fe80::1',
      'fc00::1',
      'fd12:3456::1',
      'fec0::1',
      'ff02::1',
      '100::1',
      '2001:db8::1',
      '3fff::1',
      '2001::1',
      '2001:10::1',
    ],
    // IPv4 addresses in the clothes of IPv6: mapped, compatible, translated, 6to4.
    ...['::ffff:127.0.0.1', '::ffff:a00:1', '::127.0.0.1', '64:ff9b::7f00:1', '64:ff9b:1::1', '2002:7f00:1::', '2002:a00:1::1'],
    ...['fe80::1%eth0', 'localhost', '', '127.1', '0x7f.0.0.1', '1.2.3.4.5'],
  ])('refuses %s', (address) => expect(nobody.verdict(address)).toBe('refused'));

  it.each([
    '1.1.1.1',
    '8.8.8.8',
    '93.184.216.34',
    '172.15.255.255',
    '172.32.0.1',
    '100.128.0.1',
    '2606:4700::1111',
    '2a00:1450:4001::5',
    '::ffff:8.8.8.8',
  ])('reaches %s', (address) => {
    // Mapped ones are not given to anybody as an address of IPv6, and so not reached as such.
    expect(nobody.verdict(address)).toBe(address.startsWith('::ffff') ? 'refused' : 'public');
  });

  it('reaches what the operator allows, in whichever way it is written, and nothing beside it', () => {
    const some = new Reachable(['127.0.0.1/32', '10.1.0.0/16', 'fd00::/8']);
    expect(['127.0.0.1', '::ffff:127.0.0.1', '10.1.255.1', 'fd12::1'].map((address) => some.verdict(address))).toEqual(
      Array.from({ length: 4 }, () => 'allowed'),
    );
    expect(['127.0.0.2', '10.2.0.1', 'fc00::1', '::1'].map((address) => some.verdict(address))).toEqual(
      Array.from({ length: 4 }, () => 'refused'),
    );
    expect(some.verdict('1.1.1.1')).toBe('public');
  });

  it('refuses every private address, also as a URL may write it', () => {
    const octet = fc.nat(255);
    const privateAddress = fc.oneof(
      fc.tuple(fc.constantFrom(10, 127), octet, octet, octet),
      fc.tuple(fc.constant(172), fc.integer({ min: 16, max: 31 }), octet, octet),
      fc.tuple(fc.constant(192), fc.constant(168), octet, octet),
      fc.tuple(fc.constant(169), fc.constant(254), octet, octet),
    );
    const written = ([a, b, c, d]: number[]) => [
      `${a}.${b}.${c}.${d}`,
      `0x${a!.toString(16)}.${b}.${c}.${d}`,
      String(((a! * 256 + b!) * 256 + c!) * 256 + d!),
      `[::ffff:${a}.${b}.${c}.${d}]`,
    ];
    fc.assert(
      fc.property(privateAddress, (parts) => {
        for (const host of written(parts)) {
          const address = literalAddress(new URL(`https://${host}/`));
          expect([host, address && nobody.verdict(address)]).toEqual([host, 'refused']);
        }
      }),
    );
  });
});
