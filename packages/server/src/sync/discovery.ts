// Looks for apps on this machine: which of the usual ports are open, and whether an SDK answers at
// one of the usual paths (protocol.md 1.6). Loopback only. It must not know what happens to an
// app that was found.
import { connect } from "node:net";

/** Paths at which frameworks serve an app, our own first. */
export const usualPaths = [
  "/api/pawl",
  "/api/inngest",
  "/x/inngest",
  "/.netlify/functions/inngest",
  "/.redwood/functions/inngest",
];

const fixedPorts = [
  80,
  443,
  ...range(3000, 3010),
  5000,
  5173,
  8000,
  8080,
  8081,
  8888,
  ...range(8910, 8915),
];
const connectMs = 200;

/** Ports on which local apps usually listen, the one from `$PORT` first. */
export function usualPorts(portVariable: string | undefined): readonly number[] {
  const own = Number(portVariable);
  const extra = Number.isInteger(own) && own > 0 && own <= 65_535 ? [own] : [];
  return [...new Set([...extra, ...fixedPorts])];
}

export interface DiscoveryParts {
  readonly ports: readonly number[];
  /** Local ports of apps that are known: they are left alone. */
  readonly knownPorts: () => ReadonlySet<number>;
  readonly isOpen: (port: number) => Promise<boolean>;
  readonly isApp: (url: string) => Promise<boolean>;
  readonly now: () => number;
  /** How long a port whose paths all were something else is not asked again. */
  readonly coolDownMs: number;
}

/** Returns a search: each call yields the URLs of apps that are not known yet. */
export function createDiscovery(parts: DiscoveryParts): () => Promise<readonly string[]> {
  const notBefore = new Map<number, number>();
  const search = async (port: number): Promise<string | null> => {
    if (!(await parts.isOpen(port))) {
      notBefore.delete(port);
      return null;
    }
    if ((notBefore.get(port) ?? 0) > parts.now()) return null;
    for (const path of usualPaths) {
      const url = `http://localhost:${String(port)}${path}`;
      if (await parts.isApp(url)) return url;
    }
    notBefore.set(port, parts.now() + parts.coolDownMs);
    return null;
  };
  return async () => {
    const known = parts.knownPorts();
    const found = await Promise.all(parts.ports.filter((port) => !known.has(port)).map(search));
    return found.filter((url) => url !== null);
  };
}

/** Whether anything listens on the port of 127.0.0.1 or ::1. */
export async function isPortOpen(port: number): Promise<boolean> {
  const [v4, v6] = await Promise.all([accepts("127.0.0.1", port), accepts("::1", port)]);
  return v4 || v6;
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: connectMs });
    const done = (open: boolean): void => {
      socket.destroy();
      resolve(open);
    };
    socket
      .on("connect", () => done(true))
      .on("timeout", () => done(false))
      .on("error", () => done(false));
    socket.unref();
  });
}

function range(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
