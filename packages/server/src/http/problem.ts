// Refusals: the closed list of codes that the HTTP surface adds to those of engine, protocol and
// store, and the one shape in which all of them are answered (protocol.md 4 and 8.2).
import { valueResponse, type HttpResponse } from "./response.ts";

/** Why the HTTP surface itself refused a request. */
export type HttpCode =
  /** The body is longer than the route takes, as sent or when inflated. */
  | "body_too_large"
  /** The connection ended before the body did. */
  | "body_incomplete"
  /** The body is not UTF-8 text. */
  | "body_not_text"
  /** `content-encoding` names something else than `identity` or `gzip`, or the gzip is damaged. */
  | "content_encoding_invalid"
  /** `content-type` names an encoding that the route does not read. */
  | "content_type_invalid"
  /** The bytes on the connection were not an HTTP request. */
  | "request_malformed"
  /** The headers are longer than the server takes. */
  | "headers_too_large"
  /** The request did not arrive in time. */
  | "request_timeout"
  /** There is nothing at this path. */
  | "route_not_found"
  /** The path exists, but not for this method. */
  | "method_not_allowed"
  /** The path is for WebSockets: ask for an upgrade of the connection. */
  | "upgrade_required"
  /** The path is not for WebSockets. */
  | "upgrade_unsupported"
  /** No token in the parameter `token`. */
  | "token_missing"
  /** The token is none of this server, or not for this. */
  | "token_invalid"
  /** The token was good until a moment ago; get another. */
  | "token_expired"
  /** No event key in the path although keys are enforced. */
  | "event_key_missing"
  /** The event key is not one of the configured ones. */
  | "event_key_unknown"
  /** Event keys are enforced but none is configured. */
  | "event_keys_unset"
  /** No bearer token in `authorization`. */
  | "authorization_header_missing"
  /** The bearer token in `authorization` is no key of this server. */
  | "invalid_signing_key"
  /** The bearer token is no API key of this server, or one that has expired. */
  | "invalid_api_key"
  /** The key is known, but not allowed to do this. */
  | "access_denied"
  /** A page of another origin may not use the route. */
  | "origin_refused"
  /** A development server was reached under a name that may be a stranger's. */
  | "host_refused"
  /** The app expected a server of another kind than this one. */
  | "server_kind_mismatch"
  /** One subscriber, or one token, would have more topics than is allowed. */
  | "too_many_topics"
  /** There is no event with this id. */
  | "event_not_found"
  /** There is no input or output with this id. */
  | "output_not_found"
  /** There is no app of this name or id. */
  | "app_not_found"
  /** The endpoint is known, but what it does is not part of this server. */
  | "not_implemented"
  /** More is under way than the server has room for; try again. */
  | "overloaded"
  /** The server is stopping; try again, with another server or later. */
  | "draining"
  /** A fault of ours; the log has the details under the request id. */
  | "internal";

export interface Problem {
  readonly status: number;
  /** One of `HttpCode`, `EngineCode`, `ProtocolErrorCode` or `ServerErrorCode`. */
  readonly code: string;
  /** One sentence for people; may be worded anew at any time. */
  readonly message: string;
  /** Where in an expression the problem is, in UTF-16 units from 0. */
  readonly position?: number;
  /** Of a body: a field is not there, or holds what it cannot hold. */
  readonly fault?: "missing" | "format";
}

/** A refusal of the HTTP surface; the parameters keep its code within the closed list. */
export function httpProblem(status: number, code: HttpCode, message: string): Problem {
  return { status, code, message };
}

/** `{error, status, code}`, and whatever the route's own error shape adds. */
export function problemResponse(
  problem: Problem,
  more: Readonly<Record<string, unknown>> = {},
): HttpResponse {
  const response = valueResponse(problem.status, {
    ...more,
    error: problem.message,
    status: problem.status,
    code: problem.code,
    ...(problem.position === undefined ? null : { position: problem.position }),
  });
  return { ...response, headers: { ...response.headers, ...problemHeaders(problem) } };
}

/** What HTTP wants to be said beside a refusal, whatever its shape. */
export function problemHeaders({ status }: Problem): Readonly<Record<string, string>> {
  if (status === 401) return { "www-authenticate": "Bearer" };
  return status === 503 ? { "retry-after": "1" } : {};
}
