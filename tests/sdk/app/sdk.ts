// What each SDK's file gives to the app's process: words for functions, and a way to serve them.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Kit, NewEvent } from "./kit.ts";

export type Listener = (request: IncomingMessage, response: ServerResponse) => unknown;

export interface Sdk {
  readonly kit: Kit;
  serve(functions: readonly unknown[]): Listener;
  send(event: NewEvent): Promise<unknown>;
}

/** What middleware adds to every function's context. */
export const addedByMiddleware = "added";

/** Where log lines of functions go. */
export type LogLine = (line: string) => void;
