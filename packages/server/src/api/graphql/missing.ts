// The error for what is asked for and does not exist.
import { ServerError } from "../../server-error.ts";

/** Named by its id. */
export function missing(what: "app" | "event" | "output" | "run", id: string): ServerError {
  return new ServerError(`${what}_not_found`, `There is no ${what} ${id}.`);
}
