// Signatures in both directions (protocol.md 3). Uses Node's HMAC where the runtime has it, else the
// portable one; both are synchronous and agree.
import { headerSignature } from "@pawl/protocol/headers";
import { signResponse, verifySignature, hashSigningKey, type Hmac } from "@pawl/protocol/signature";
import { sha256Hex } from "@pawl/protocol/sha256";
import type { Connection } from "../client/connection.ts";
import { builtinModule } from "../runtime.ts";
import type { ServeRequest } from "./messages.ts";

interface NativeCrypto {
  createHmac(
    algorithm: string,
    key: string,
  ): { update(text: string, encoding: "utf8"): { digest(encoding: "hex"): string } };
}

function nativeHmac(): Hmac | null {
  const module = builtinModule("node:crypto");
  if (module === null || typeof module !== "object" || !("createHmac" in module)) return null;
  const native = module as NativeCrypto; // proof: the documented function of Node's module
  return (key, text) => native.createHmac("sha256", key).update(text, "utf8").digest("hex");
}

const hmac = nativeHmac();
const withHmac = hmac === null ? {} : { hmac };

/** The one of the client's keys that signed the request within the last five minutes, or null. */
export function signingKeyOf(connection: Connection, request: ServeRequest): string | null {
  if (connection.signingKeys.length === 0) return null;
  try {
    return verifySignature({
      keys: connection.signingKeys,
      header: request.header(headerSignature),
      body: request.body,
      now: connection.runtime.now(),
      canonical: true,
      ...withHmac,
    });
  } catch {
    return null;
  }
}

/**
 * The signature header for an answer; empty in dev mode, where nothing is signed. `requestKey`, the
 * key that signed the request, is the one the server surely knows while keys are being changed.
 */
export function signatureFor(
  connection: Connection,
  body: string,
  requestKey: string | null,
): Record<string, string> {
  const key = requestKey ?? connection.signingKeys[0];
  if (connection.isDev || key === undefined) return {};
  const at = connection.runtime.now();
  return { [headerSignature]: signResponse({ key, body, at, ...withHmac }) };
}

/** `Authorization` values to try against the server, in order; one without a value in dev mode. */
export function bearers(connection: Connection): readonly (string | null)[] {
  if (connection.signingKeys.length === 0) return [null];
  return connection.signingKeys.map((key) => `Bearer ${hashSigningKey(key)}`);
}

/** How keys are told apart without being shown (protocol.md 1.5); null when there is none. */
export function fingerprint(
  kind: "signing" | "event",
  key: string | undefined | null,
): string | null {
  if (key === undefined || key === null) return null;
  return (kind === "signing" ? hashSigningKey(key) : sha256Hex(key)).slice(0, 12);
}
