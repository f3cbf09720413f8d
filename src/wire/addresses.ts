import { BlockList, isIP } from "node:net";

/** A set of network addresses. */
export interface AddressSet {
  has(address: string): boolean;
}

/** The addresses of these networks, "10.0.0.0/8" or "2001:db8::/32", and of single machines. Throws an Error that reads on after a setting's name. */
export function addressSet(networks: readonly string[]): AddressSet {
  const list = new BlockList();
  for (const network of networks) add(list, network);
  return { has: (address) => isIP(address) !== 0 && list.check(address, isIP(address) === 4 ? "ipv4" : "ipv6") };
}

function add(list: BlockList, network: string): void {
  const [address = "", prefix, ...rest] = network.split("/");
  const version = isIP(address);
  const bits = version === 4 ? 32 : 128;
  if (
    version === 0 ||
    rest.length > 0 ||
    (prefix !== undefined && !(/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits))
  )
    throw new Error(
      `has ${JSON.stringify(network)}, which is no network; write 10.0.0.0/8, 2001:db8::/32 or an address`,
    );
  list.addSubnet(address, Number(prefix ?? bits), version === 4 ? "ipv4" : "ipv6");
}

/** The address without what surrounds it in headers and sockets: brackets, port, zone, IPv6 around IPv4; `undefined` if it is none. */
export function plainAddress(text: string): string | undefined {
  const bare = /^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text;
  const address = bare
    .toLowerCase()
    .replace(/%.*$/, "")
    .replace(/^::ffff:(?=\d+\.)/, "");
  return isIP(address) === 0 ? undefined : address;
}

/** The network that one subscriber is given as a rule: an IPv4 address itself, the first 64 bits of an IPv6 address. */
export function subscriberOf(address: string): string {
  const plain = plainAddress(address) ?? address;
  if (isIP(plain) !== 6) return plain;
  const [head = "", tail] = plain.split("::");
  const first = head === "" ? [] : head.split(":");
  const last = tail ? tail.split(":") : [];
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - first.length - last.length);
  const groups = [...first, ...Array<string>(zeros).fill("0"), ...last].slice(0, 4);
  return `${groups.map((group) => group.replace(/^0+(?=.)/, "")).join(":")}::/64`;
}
