// A response as plain data, which shells send as it is. It must not know any of them.

/** What a route answers. A body of pieces is sent as they come, until the other side leaves. */
export interface HttpResponse {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | AsyncIterable<string | Uint8Array>;
  /** Cuts the connection when it is aborted, whatever is still to be sent. */
  readonly cut?: AbortSignal;
}

/** An answer that is one JSON text. */
export function jsonResponse(status: number, text: string): HttpResponse {
  return { status, headers: { "content-type": "application/json" }, body: text };
}

/** An answer made of a plain value. */
export function valueResponse(status: number, value: unknown): HttpResponse {
  return jsonResponse(status, JSON.stringify(value));
}
