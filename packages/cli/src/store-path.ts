// Where the commands find the store of a server within its folder. It must not know what is in
// a store, nor open one.
import { join } from "node:path";

/** The database within the folder of a store. */
export function storePath(folder: string): string {
  return join(folder, "pawl.db");
}
