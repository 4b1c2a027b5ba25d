// Work that notes how much of it is going on at once. Used inside apps.
import type { Kit } from "../app/kit.ts";

/** Work under a name; notes under `<name> at once` how many are at it, itself included. */
export function busyWork(note: Kit["note"], ms: number): (name: string) => Promise<void> {
  const busy = new Map<string, number>();
  return async (name) => {
    busy.set(name, (busy.get(name) ?? 0) + 1);
    note(`${name} at once`, busy.get(name));
    await new Promise((resolve) => setTimeout(resolve, ms));
    busy.set(name, (busy.get(name) ?? 1) - 1);
  };
}
