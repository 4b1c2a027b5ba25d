// A request as plain data, the only form in which the rest of the server sees one. Shells
// (node:http here) make it; it must not know any of them.
import type { Caller } from "../auth/scopes.ts";
import type { Problem } from "./problem.ts";

/** A body as text, or the problem to answer with instead. */
export type BodyRead =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly problem: Problem };

/** A body as it is, or the problem to answer with instead. */
export type BytesRead =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly problem: Problem };

/** A request whose headers have arrived; its body is read only when a route wants it. */
export interface HttpRequest {
  /** Names this request in logs and in answers with status 500. */
  readonly id: string;
  /** Address of the other side, which may be a proxy; null: unknown. */
  readonly from: string | null;
  /** Upper case. */
  readonly method: string;
  /** As sent, without the query; not percent-decoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** The value of a header by its lower-case name, the first one when repeated. */
  readonly header: (name: string) => string | null;
  /**
   * Reads the whole body, inflated, as UTF-8. `bytesMax` bounds what arrives and what it inflates
   * to; a longer body is refused as soon as that is known. Call at most once.
   */
  readonly readBody: (bytesMax: number) => Promise<BodyRead>;
  /** The same, for a body that need not be text. */
  readonly readBytes: (bytesMax: number) => Promise<BytesRead>;
  /**
   * Hands over the body as it arrives, in bytes, and keeps none of it. Resolves with null at its end,
   * or with why it was cut short. Call at most once, and not beside `readBody`.
   */
  readonly readPieces: (
    limits: PieceLimits,
    take: (piece: Uint8Array) => void,
  ) => Promise<Problem | null>;
}

/** How much of a body that is taken as it arrives. */
export interface PieceLimits {
  readonly bytesMax: number;
  /** How long it may take to arrive. */
  readonly withinMs: number;
}

/** What a route gets: everything it may look at, already in memory. */
export interface RouteRequest {
  readonly id: string;
  /** Who asks, for routes whose parts need different scopes. */
  readonly caller: Caller;
  /** Variable parts of the path, percent-decoded, by the name in the route's pattern. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly header: (name: string) => string | null;
  /** Empty for routes that take no body, or read it by themselves. */
  readonly body: string;
  /** The body of routes that read it by themselves (`Route.readsBody`). */
  readonly incoming: Pick<HttpRequest, "readBody" | "readBytes" | "readPieces">;
}
