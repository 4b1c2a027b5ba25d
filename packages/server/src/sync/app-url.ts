// Compares the URLs of apps, so that an app is known however its address is written. Pure: it
// must not look up names, nor know who asks.
const loopbackHosts: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]", "0.0.0.0"]);

/**
 * The same text for URLs that lead to the same app: loopback names are one host, query and
 * trailing slashes do not count. Text that is no URL is returned as it is.
 */
export function appUrlKey(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null) return url;
  const host = loopbackHosts.has(parsed.hostname) ? "localhost" : parsed.hostname;
  return `${parsed.protocol}//${host}:${portOf(parsed)}${parsed.pathname.replace(/\/+$/, "")}`;
}

/** The port of an app on this machine; null for apps elsewhere. */
export function localPort(url: string): number | null {
  const parsed = URL.parse(url);
  return parsed !== null && loopbackHosts.has(parsed.hostname) ? Number(portOf(parsed)) : null;
}

function portOf(url: URL): string {
  if (url.port !== "") return url.port;
  return url.protocol === "https:" ? "443" : "80";
}
