// Which server a command talks to. It must not know what is asked there.
import { CliError } from "./cli-error.ts";
import type { FlagSpec, Terminal } from "./command.ts";

/** The flag that names the server. */
export const urlFlag: FlagSpec = {
  kind: "value",
  short: null,
  placeholder: "URL",
  help: "Address of the server.",
  environment: "PAWL_BASE_URL",
  fallback: "http://127.0.0.1:8288",
};

/** The address, with a slash at its end. Throws `usage_invalid` for one that is none. */
export function serverAddress(given: string | null, { environment }: Terminal): URL {
  const port = environment["PAWL_PORT"] ?? "8288";
  const address = given ?? environment["PAWL_BASE_URL"] ?? `http://127.0.0.1:${port}`;
  const url = URL.parse(address.endsWith("/") ? address : `${address}/`);
  if (url !== null && /^https?:$/.test(url.protocol)) return url;
  throw new CliError(
    "usage_invalid",
    `"${address}" is no address of a server; give one like http://127.0.0.1:8288.`,
  );
}

/** Nobody listens there. */
export function unreachable(target: URL, cause: unknown): CliError {
  return new CliError(
    "server_unreachable",
    `No server answers at ${target.origin}. Start one with "pawl dev", or name another with --url.`,
    { cause },
  );
}
