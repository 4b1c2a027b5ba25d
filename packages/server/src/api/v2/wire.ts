// The shapes that all endpoints of the REST API v2 share (protocol.md 8.3): the envelope, the
// refusals with their closed list of codes, and the two addresses of each endpoint. It must not
// know what an endpoint does.
import { z } from "zod";
import { problemHeaders, type Problem } from "../../http/problem.ts";
import { jsonResponse, valueResponse, type HttpResponse } from "../../http/response.ts";
import type { Route } from "../../http/router.ts";
import { endpoint, type DocumentedRoute, type EndpointParts } from "../endpoint.ts";
import { isoTime } from "../envelope.ts";

/** Where a page ended, as `page` of an answer tells it. */
export interface PageInfo {
  readonly cursor: string | null;
  readonly hasMore: boolean;
  readonly limit: number;
  /** Records that a search looked at; absent for a plain list. */
  readonly scanned?: number;
}

/** `{data, metadata, page?}` around a JSON text. */
export function answer(
  now: number,
  data: string,
  options: { readonly status?: number; readonly page?: PageInfo } = {},
): HttpResponse {
  const metadata = JSON.stringify({ fetchedAt: isoTime(now), cachedUntil: null });
  const { page } = options;
  const pageText =
    page === undefined
      ? ""
      : `,"page":${JSON.stringify({
          ...(page.cursor === null ? null : { cursor: page.cursor }),
          hasMore: page.hasMore,
          limit: page.limit,
          ...(page.scanned === undefined ? null : { scanned: page.scanned }),
        })}`;
  return jsonResponse(options.status ?? 200, `{"data":${data},"metadata":${metadata}${pageText}}`);
}

const codes: Readonly<Record<string, string>> = {
  parameter_invalid: "invalid_request",
  expression_invalid: "invalid_request",
  body_invalid: "invalid_request",
  json_invalid: "invalid_request",
  event_invalid: "validation_error",
  event_name_too_long: "validation_error",
  authorization_header_missing: "authorization_header_missing",
  invalid_signing_key: "invalid_signing_key",
  invalid_api_key: "invalid_api_key",
  access_denied: "access_denied",
  origin_refused: "access_denied",
  host_refused: "access_denied",
  run_ended: "state_conflict",
  run_not_ended: "state_conflict",
  history_pruned: "state_conflict",
  run_skipped: "function_skipped",
  run_rate_limited: "rate_limited",
  not_implemented: "not_implemented",
};

/** The v2 code of a problem: by its own code, else by its status. */
function codeOf({ code, status, fault }: Problem): string {
  if (fault !== undefined) return fault === "missing" ? "missing_field" : "invalid_field_format";
  const known = codes[code];
  if (known !== undefined) return known;
  if (status === 404) return "not_found";
  if (status === 409) return "state_conflict";
  if (status === 503) return "capacity_unavailable";
  return status < 500 ? "invalid_request" : "internal_error";
}

/** A refusal: `{"errors":[{"code","message"}]}`. */
export function refuse(problem: Problem): HttpResponse {
  const errors = [{ code: codeOf(problem), message: problem.message }];
  const response = valueResponse(problem.status, { errors });
  return { ...response, headers: { ...response.headers, ...problemHeaders(problem) } };
}

/** Nothing is under an id: `what` names its kind. */
export function notFound(what: string, id: string): HttpResponse {
  return refuse({ status: 404, code: "not_found", message: `There is no ${what} ${id}.` });
}

/** Bodies are read even where none is taken, so that they can be refused. */
const uselessBodyBytesMax = 1_024;

/** Refuses every query parameter. */
export const noQuery = z.strictObject({});

/** An endpoint at `/v2` and at `/api/v2`; only the first is described. Without a schema it takes no body. */
export function v2Endpoint<Q extends z.ZodObject, B extends z.ZodType = z.ZodUndefined>(
  parts: EndpointParts<Q, B>,
): readonly Route[] {
  const { pattern, body, bodyBytesMax } = parts;
  const bytesMax = body === undefined ? uselessBodyBytesMax : bodyBytesMax;
  const at = (prefix: string): DocumentedRoute =>
    endpoint<Q, B>({
      ...parts,
      pattern: prefix + pattern,
      refuse,
      ...(bytesMax === undefined ? null : { bodyBytesMax: bytesMax }),
    });
  const { doc: _, ...alias } = at("/api/v2");
  return [at("/v2"), alias];
}
