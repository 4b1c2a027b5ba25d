// How the id a user gives to a step becomes the hash that travels (protocol.md 2.6). Server and
// SDKs in every language must agree on this. Must run on any JavaScript runtime.
import { sha1Hex } from "./sha1.ts";

/**
 * The hashed step id: SHA-1 hex of the id; for the n-th repeat of the id in one run (`index`
 * n >= 1, in order of discovery) of `id:n`.
 */
export function hashStepId(id: string, index: number): string {
  return sha1Hex(index === 0 ? id : `${id}:${index}`);
}
