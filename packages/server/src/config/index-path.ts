// Reads the option `index-path`: an event's name and a path in it, by which people search.
import { formatPath, parsePath } from "@pawl/engine/expression/paths";
import type { WaitPathRecord } from "@pawl/engine/records";

export type IndexPath = Pick<WaitPathRecord, "event" | "path">;

const roots = new Set(["data", "user"]);

/**
 * `order/paid:data.orderId`. The path begins at the first colon behind which all is a path below
 * `data` or `user`; null when there is none.
 */
export function readIndexPath(text: string): IndexPath | null {
  for (let at = text.indexOf(":"); at > 0; at = text.indexOf(":", at + 1)) {
    const path = parsePath(text.slice(at + 1));
    if (path === undefined || path.length < 2 || !roots.has(path[0] ?? "")) continue;
    return { event: text.slice(0, at), path: formatPath(path) };
  }
  return null;
}
