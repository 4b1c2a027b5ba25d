// Decides who may use a route, from headers and path alone. Development servers let everybody in;
// production ones ask for the signing key (protocol.md 3) or an event key (protocol.md 4). Keys
// are compared in constant time and never leave this file.
import { createHash, timingSafeEqual } from "node:crypto";
import { hashSigningKey } from "@pawl/protocol/signature";
import type { ServerKind } from "../http/gateway.ts";
import type { HttpRequest } from "../http/message.ts";
import { httpProblem, type Problem } from "../http/problem.ts";
import type { Access } from "../http/router.ts";

export interface Keys {
  /** The current signing key first, then the one that is being rotated out. */
  readonly signingKeys: readonly string[];
  readonly eventKeys: readonly string[];
}

/** Why a request may not use routes of an access; null when it may. */
export type Guard = (
  access: Access,
  params: Readonly<Record<string, string>>,
  request: Pick<HttpRequest, "header">,
) => Problem | null;

/** The guard of a server of this kind. The event key is the path parameter `key`. */
export function createGuard(kind: ServerKind, keys: Keys): Guard {
  if (kind === "dev") return () => null;
  // A signing key is accepted raw and hashed; the prefix that names its environment does not count.
  const bearers = keys.signingKeys.flatMap((key) => [
    digest(withoutPrefix(key)),
    digest(withoutPrefix(hashSigningKey(key))),
  ]);
  const eventKeys = keys.eventKeys.map(digest);
  return (access, params, request) => {
    if (access === "api") return apiProblem(bearers, request.header("authorization"));
    if (access === "event") return eventProblem(eventKeys, params["key"] ?? "");
    return null;
  };
}

function apiProblem(bearers: readonly Buffer[], authorization: string | null): Problem | null {
  const token = /^bearer\s+(.+)$/i.exec(authorization ?? "")?.[1]?.trim() ?? "";
  if (token !== "" && isOneOf(bearers, withoutPrefix(token))) return null;
  return httpProblem(
    401,
    token === "" ? "authorization_missing" : "unauthorized",
    "Send the signing key, or its hash, as a bearer token in authorization.",
  );
}

function eventProblem(eventKeys: readonly Buffer[], key: string): Problem | null {
  if (eventKeys.length === 0) {
    return httpProblem(
      503,
      "event_keys_unset",
      "No event key is configured; set one with --event-key.",
    );
  }
  if (key === "") return httpProblem(401, "event_key_missing", "Event key is required");
  return isOneOf(eventKeys, key)
    ? null
    : httpProblem(401, "event_key_unknown", "Event key not found");
}

function withoutPrefix(key: string): string {
  return key.replace(/^signkey-\w+-/, "");
}

/** Hashing first makes the compared values equally long, whatever was sent. */
function digest(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}

/** Looks at every key even after a match, so that time tells nothing. */
function isOneOf(digests: readonly Buffer[], key: string): boolean {
  const candidate = digest(key);
  let found = false;
  for (const known of digests) found = timingSafeEqual(known, candidate) || found;
  return found;
}
