import { BlockList, isIP } from 'node:net';

/**
 * Addresses that a webhook may not reach, because they are not of the public Internet: whoever may make a channel could otherwise have
 * Holdfast talk to databases and metadata services of the operator's network. After the special-purpose registries of IANA.
 */
const NOT_PUBLIC_IPV4 = [
  '0.0.0.0/8', // this network
  '10.0.0.0/8', // private
  '100.64.0.0/10', // shared by carriers
  '127.0.0.0/8', // loopback
  '169.254.0.0/16', // link-local, and the metadata services of clouds
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // relays of 6to4
  '192.168.0.0/16', // private
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, and broadcast
];
/** Of IPv6 only this is given out to the public; the exceptions within it follow. */
const PUBLIC_IPV6 = '2000::/3';
const NOT_PUBLIC_IPV6 = [
  '2001::/23', // protocol assignments, Teredo among them, which carries an IPv4 address
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4, which carries an IPv4 address
  '3fff::/20', // documentation
];

/** Which addresses webhooks may reach: public ones, and those of the networks that the operator allows. */
export class Reachable {
  readonly #notPublic = networks([...NOT_PUBLIC_IPV4, ...NOT_PUBLIC_IPV6]);
  readonly #publicIpv6 = networks([PUBLIC_IPV6]);
  readonly #allowed: BlockList;
  /** Whether the operator allows any network. */
  readonly allowsAny: boolean;

  /** @param allow networks, such as `10.1.0.0/16`. */
  constructor(allow: readonly string[]) {
    this.#allowed = networks(allow);
    this.allowsAny = allow.length > 0;
  }

  /** `allowed`: by the operator, also without TLS; `public`: with TLS; `refused`: never. */
  verdict(address: string): 'allowed' | 'public' | 'refused' {
    const family = familyOf(address);
    if (family === undefined) return 'refused';
    // An IPv4 address written as IPv6 (::ffff:10.0.0.1) is compared as the IPv4 address that it is.
    if (this.#allowed.check(address, family)) return 'allowed';
    if (this.#notPublic.check(address, family)) return 'refused';
    return family === 'ipv4' || this.#publicIpv6.check(address, family) ? 'public' : 'refused';
  }
}

function networks(list: readonly string[]): BlockList {
  const blocks = new BlockList();
  for (const network of list) {
    const [address, prefix] = network.split('/') as [string, string];
    blocks.addSubnet(address, Number(prefix), familyOf(address));
  }
  return blocks;
}

function familyOf(address: string): 'ipv4' | 'ipv6' | undefined {
  // A zone (fe80::1%eth0) names an interface of this machine.
  const family = isIP(address);
  return family === 0 || address.includes('%') ? undefined : family === 4 ? 'ipv4' : 'ipv6';
}

/** The host of a URL as an address, when it is one: `[::1]` is `::1`. */
export function literalAddress(url: URL): string | undefined {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(host) === 0 ? undefined : host;
}
