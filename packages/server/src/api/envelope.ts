// The shapes that answers of the REST API v1 share (protocol.md 8.2). Payloads are spliced in as
// the text they are stored as. It must not know what is being answered.
import type { JsonText } from "@pawl/protocol/json-text";
import { jsonResponse, type HttpResponse } from "../http/response.ts";

/**
 * An object of plain members and of members whose values are JSON text already. Undefined plain
 * members are left out; there must be at least one that is not.
 */
export function spliced(plain: object, texts: Readonly<Record<string, JsonText>>): string {
  const members = Object.entries(texts).map(([key, text]) => `,${JSON.stringify(key)}:${text}`);
  return `${JSON.stringify(plain).slice(0, -1)}${members.join("")}}`;
}

/** `{"data": …, "metadata": {"fetched_at", "cached_until", …}}` around a JSON text; status 200. */
export function envelope(now: number, data: string, more: object = {}): HttpResponse {
  const metadata = JSON.stringify({ fetched_at: isoTime(now), cached_until: null, ...more });
  return jsonResponse(200, `{"data":${data},"metadata":${metadata}}`);
}

/** RFC 3339 in UTC with milliseconds. */
export function isoTime(at: number): string {
  return new Date(at).toISOString();
}
