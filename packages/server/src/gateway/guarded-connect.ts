// Connections that lead only where the guard allows. The guard sees the very addresses that are
// connected to, so a name that resolves to something else the next time gains nothing; the name
// stays what TLS and the other side see. It must not know what travels over a connection.
import { lookup, type LookupAddress } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { buildConnector } from "undici";
import type { AddressGuard } from "./address-guard.ts";

/** The guard has refused all addresses of a host. */
export class AddressRefused extends Error {
  override readonly name = "AddressRefused";
  readonly host: string;
  /** One of the addresses. */
  readonly address: string;

  constructor(host: string, address: string) {
    super(`${host} is at ${address}`);
    this.host = host;
    this.address = address;
  }
}

/** Resolves a name as `dns.lookup` does. */
export type Resolve = (
  host: string,
  done: (error: Error | null, addresses: readonly LookupAddress[]) => void,
) => void;

/** By the resolver of the system. */
export const systemResolve: Resolve = (host, done) => lookup(host, { all: true }, done);

/** Throws `AddressRefused` for a host that is an address itself: such are never looked up. */
export function checkLiteral(guard: AddressGuard, host: string): void {
  const address = host.replace(/^\[(.*)\]$/, "$1");
  if (isIP(address) !== 0 && !guard.allows(address, address))
    throw new AddressRefused(address, address);
}

/** Connects the HTTP client to allowed addresses only. `checkLiteral` is the caller's business. */
export function guardedConnector(
  guard: AddressGuard,
  resolve: Resolve,
  timeoutMs: number,
): buildConnector.connector {
  const find: LookupFunction = (host, options, done) => {
    resolve(host, (error, addresses) => {
      if (error !== null) return done(error, []);
      const allowed = addresses.filter(({ address }) => guard.allows(host, address));
      const [first] = allowed;
      if (first === undefined)
        return done(new AddressRefused(host, addresses[0]?.address ?? "no address"), []);
      if (options.all === true) return done(null, [...allowed]);
      done(null, first.address, first.family);
    });
  };
  return buildConnector({ lookup: find, timeout: timeoutMs, allowH2: false });
}
