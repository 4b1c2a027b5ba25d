// Which addresses the server may reach on behalf of an app: the public ones, and those that its
// operator allows. Without it an app, or whoever can feed it a URL, would read through this server
// what only this server can reach: the metadata service of a cloud, databases, admin pages.
// It decides about addresses and names; it must not know connections.
import { BlockList, isIP } from "node:net";

export interface GuardOptions {
  /** Private addresses may be reached: all of them. */
  readonly allowPrivate: boolean;
  /**
   * What may be reached besides: host names (`db.internal`, `*.internal` for names below it),
   * addresses, and ranges (`10.1.0.0/16`). See `isAllowRule`.
   */
  readonly allow: readonly string[];
}

/** IPv4 that is not a single public host, by the registry of special addresses of IANA. */
const closedIPv4 = [
  "0.0.0.0/8", // this network
  "10.0.0.0/8", // private
  "100.64.0.0/10", // shared by carriers
  "127.0.0.0/8", // loopback
  "169.254.0.0/16", // link-local, metadata services of clouds
  "172.16.0.0/12", // private
  "192.0.0.0/24", // protocol assignments
  "192.0.2.0/24", // documentation
  "192.88.99.0/24", // relays from IPv6
  "192.168.0.0/16", // private
  "198.18.0.0/15", // benchmarks
  "198.51.100.0/24", // documentation
  "203.0.113.0/24", // documentation
  "224.0.0.0/4", // multicast
  "240.0.0.0/4", // reserved, broadcast
];

/** All of IPv6 that is public; the rest is loopback, local, mapped, translated or unassigned. */
const openIPv6 = "2000::/3";

/** Parts of it that lead elsewhere, often to an IPv4 address inside. */
const closedIPv6 = [
  "2001::/23", // protocol assignments, Teredo
  "2001:db8::/32", // documentation
  "2002::/16", // 6to4
  "3fff::/20", // documentation
];

const closed4 = blockListOf(closedIPv4);
const open6 = blockListOf([openIPv6]);
const closed6 = blockListOf(closedIPv6);

/** Whether an address, in any of its notations without a zone, is that of a public host. */
export function isPublicAddress(address: string): boolean {
  const mapped = mappedIPv4(address);
  if (mapped !== null) return !closed4.check(mapped, "ipv4");
  switch (isIP(address)) {
    case 4:
      return !closed4.check(address, "ipv4");
    case 6:
      return open6.check(address, "ipv6") && !closed6.check(address, "ipv6");
    default:
      return false;
  }
}

/** Whether text can stand in `allow`. */
export function isAllowRule(text: string): boolean {
  return rangeOf(text) !== null || /^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*$/i.test(text);
}

export class AddressGuard {
  readonly #allowPrivate: boolean;
  readonly #ranges: BlockList;
  readonly #names = new Set<string>();
  readonly #suffixes: readonly string[];

  constructor({ allowPrivate, allow }: GuardOptions) {
    this.#allowPrivate = allowPrivate;
    this.#ranges = blockListOf(allow.filter((rule) => rangeOf(rule) !== null));
    const names = allow.filter((rule) => rangeOf(rule) === null).map((rule) => rule.toLowerCase());
    for (const name of names) this.#names.add(name);
    this.#suffixes = names.filter((name) => name.startsWith("*.")).map((name) => name.slice(1));
  }

  /** Whether a host may be reached at an address that its name was resolved to. */
  allows(host: string, address: string): boolean {
    const plain = address.split("%", 1)[0] ?? address;
    return this.#allowPrivate || isPublicAddress(plain) || this.#isNamed(host) || this.#has(plain);
  }

  #isNamed(host: string): boolean {
    const name = host.toLowerCase().replace(/\.$/, "");
    return this.#names.has(name) || this.#suffixes.some((suffix) => name.endsWith(suffix));
  }

  #has(address: string): boolean {
    const mapped = mappedIPv4(address);
    if (mapped !== null) return this.#ranges.check(mapped, "ipv4");
    const family = isIP(address);
    return family !== 0 && this.#ranges.check(address, family === 4 ? "ipv4" : "ipv6");
  }
}

interface Range {
  readonly address: string;
  readonly bits: number;
  readonly family: "ipv4" | "ipv6";
}

/** A range, or an address as the range of itself; null when the text is neither. */
function rangeOf(text: string): Range | null {
  const [address = "", bits, more] = text.split("/");
  const version = isIP(address);
  if (version === 0 || more !== undefined || address.includes("%")) return null;
  const bitsMax = version === 4 ? 32 : 128;
  if (bits !== undefined && !/^\d{1,3}$/.test(bits)) return null;
  const length = bits === undefined ? bitsMax : Number(bits);
  if (length > bitsMax) return null;
  return { address, bits: length, family: version === 4 ? "ipv4" : "ipv6" };
}

function blockListOf(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of ranges) {
    const range = rangeOf(text);
    if (range !== null) list.addSubnet(range.address, range.bits, range.family);
  }
  return list;
}

/** The IPv4 address inside an IPv6 one that only maps it (`::ffff:127.0.0.1`); null for others. */
function mappedIPv4(address: string): string | null {
  if (isIP(address) !== 6) return null;
  // The parser of URLs writes every notation of one address the same way.
  const match = /^\[::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(
    URL.parse(`http://[${address}]`)?.hostname ?? "",
  );
  if (match === null) return null;
  const [high, low] = [Number.parseInt(match[1] ?? "", 16), Number.parseInt(match[2] ?? "", 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}
