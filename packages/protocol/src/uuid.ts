// Deterministic UUIDs (version 5) for apps and functions: the same name has the same id on every
// server, so that nothing has to be looked up (protocol.md 1.2). Must run on any runtime.
import { sha1Hex } from "./sha1.ts";
import { utf8Bytes } from "./utf8.ts";

/** Namespace of all ids of Pawl. Changing it would change the id of every app and function. */
export const uuidNamespace = "8b9f1d5c-6f0e-5a37-9d64-2f1c7be0a4d1";

const namespaceBytes = Uint8Array.from(
  uuidNamespace.replaceAll("-", "").match(/../g) ?? [],
  (pair) => Number.parseInt(pair, 16),
);

/** The version 5 UUID of a name under `uuidNamespace`, in lower case. */
export function uuidFromName(name: string): string {
  const nameBytes = utf8Bytes(name);
  const bytes = new Uint8Array(16 + nameBytes.length);
  bytes.set(namespaceBytes);
  bytes.set(nameBytes, 16);
  const hex = sha1Hex(bytes);
  const variant = ((Number.parseInt(hex.slice(16, 18), 16) & 0x3f) | 0x80).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `5${hex.slice(13, 16)}`,
    variant + hex.slice(18, 20),
    hex.slice(20, 32),
  ].join("-");
}
