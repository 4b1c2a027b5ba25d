// HTTP requests and answers as plain data: the seam that every adapter implements. An adapter
// translates its framework's objects into these and back, and does nothing else.

/** What an adapter hands in. */
export interface ServeRequest {
  readonly method: string;
  /** Absolute, as the server of the app can be reached from outside, with its query. */
  readonly url: string;
  /** The value of a header by its lower-case name. */
  readonly header: (name: string) => string | null;
  /** The body as text; empty when there is none. */
  readonly body: string;
  /** Aborted when the other side has gone, where the host can tell. */
  readonly signal?: AbortSignal;
}

/** What an adapter writes out. */
export interface ServeResponse {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A JSON answer. */
export function json(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): ServeResponse {
  return { status, headers, body: JSON.stringify(value) ?? "null" };
}
