// Decides who may use a route, from headers and path alone. Development servers let everybody in;
// production ones ask for the signing key (protocol.md 3), an event key (protocol.md 4) or an API
// key with the scope that the route names. Keys are compared as hashes, in constant time and with
// all that are known, and never leave this file; what is refused says nothing about them.
import { createHash, timingSafeEqual } from "node:crypto";
import { hashSigningKey } from "@pawl/protocol/signature";
import type { ServerKind, Verdict } from "../http/gateway.ts";
import type { HttpRequest } from "../http/message.ts";
import { httpProblem, type Problem } from "../http/problem.ts";
import type { Access } from "../http/router.ts";
import { apiKeyPrefix, type ApiKey } from "./api-key.ts";
import { callerWith, nobody, scopeMissing, unlimited, type Caller } from "./scopes.ts";

export interface Keys {
  /** The current signing key first, then the one that is being rotated out. */
  readonly signingKeys: readonly string[];
  readonly eventKeys: readonly string[];
  readonly apiKeys: readonly ApiKey[];
}

/** Judges a request to a route of an access. The event key is the path parameter `key`. */
export type Guard = (
  access: Access,
  params: Readonly<Record<string, string>>,
  request: Pick<HttpRequest, "header">,
) => Verdict;

const everybody: Verdict = { caller: unlimited, problem: null };
const unasked: Verdict = { caller: nobody, problem: null };

/** The guard of a server of this kind; `now` tells which API keys have expired. */
export function createGuard(kind: ServerKind, keys: Keys, now: () => number): Guard {
  if (kind === "dev") return () => everybody;
  const identify = bearers(keys, now);
  const eventKeys = keys.eventKeys.map(digest);
  return (access, params, request) => {
    switch (access) {
      // A production server has no `dev` routes; whoever asks does not get this far.
      case "dev":
      case "public":
      case "token":
        return unasked;
      case "event":
        return { caller: nobody, problem: eventProblem(eventKeys, params["key"] ?? "") };
      default:
        return judge(access, identify(request.header("authorization")));
    }
  };
}

function judge(
  access: Exclude<Access, "public" | "dev" | "event" | "token">,
  found: Caller | Problem,
): Verdict {
  if ("status" in found) return { caller: nobody, problem: found };
  if (access === "key" || found === unlimited) return { caller: found, problem: null };
  if (access === "signed") {
    const message =
      "Only apps may use this route: send the signing key, or its hash, as a bearer token.";
    return { caller: found, problem: httpProblem(403, "access_denied", message) };
  }
  const problem = found.may(access)
    ? null
    : httpProblem(403, "access_denied", scopeMissing(access));
  return { caller: found, problem };
}

/** Finds whose token an `authorization` header carries. */
function bearers(
  { signingKeys, apiKeys }: Keys,
  now: () => number,
): (authorization: string | null) => Caller | Problem {
  // A signing key is accepted raw and hashed; the prefix that names its environment does not count.
  const signing = signingKeys.flatMap((key) => [
    digest(withoutPrefix(key)),
    digest(withoutPrefix(hashSigningKey(key))),
  ]);
  const hashes = apiKeys.map(({ hash }) => Buffer.from(hash, "hex"));
  const callers = apiKeys.map((key) => callerWith(key.name, key.scopes));
  return (authorization) => {
    const token = /^bearer +(\S.*)$/i.exec(authorization ?? "")?.[1]?.trim() ?? "";
    if (token === "") {
      const message = "Send the signing key or an API key as a bearer token in authorization.";
      return httpProblem(401, "authorization_header_missing", message);
    }
    if (token.startsWith(apiKeyPrefix)) {
      const index = indexOfKey(hashes, digest(token));
      const key = apiKeys[index];
      const caller = callers[index];
      const isOpen = key !== undefined && (key.expiresAt === null || now() < key.expiresAt);
      if (isOpen && caller !== undefined) return caller;
      return httpProblem(401, "invalid_api_key", "The API key is not known here, or no longer.");
    }
    if (indexOfKey(signing, digest(withoutPrefix(token))) !== -1) return unlimited;
    return httpProblem(401, "invalid_signing_key", "The bearer token is no key of this server.");
  };
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
  return indexOfKey(eventKeys, digest(key)) !== -1
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

/** Looks at every key even after a match, so that time tells nothing; -1: it is none of them. */
function indexOfKey(known: readonly Buffer[], candidate: Buffer): number {
  let found = -1;
  for (const [index, one] of known.entries()) {
    if (timingSafeEqual(one, candidate)) found = index;
  }
  return found;
}
