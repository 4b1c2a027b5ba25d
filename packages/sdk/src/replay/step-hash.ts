// The hash of a step's id, remembered: every call of a run hashes the ids of all its steps again,
// and every run of a function mostly the same ones.
import { hashStepId } from "@pawl/protocol/step-id";

const rememberedMax = 10_000;
const idCharsMax = 200;
const remembered = new Map<string, string>();

/** See `hashStepId`. */
export function stepHash(id: string, index: number): string {
  // The hash of a repeat is that of the id with its number behind it.
  const key = index === 0 ? id : `${id}:${index}`;
  const known = remembered.get(key);
  if (known !== undefined) return known;
  const hash = hashStepId(key, 0);
  if (remembered.size >= rememberedMax) remembered.clear();
  if (key.length <= idCharsMax) remembered.set(key, hash);
  return hash;
}
