// Serves an app on AWS Lambda: behind API Gateway with payloads of version 1 (REST) and 2 (HTTP), and
// behind a function URL. Translates and does nothing else.
import { createHandler } from "../serve/handler.ts";
import type { ServeRequest } from "../serve/messages.ts";
import type { ServeOptions } from "../serve/service.ts";
import { publicUrl } from "./node-exchange.ts";

type Texts = Readonly<Record<string, string | undefined>>;

/** What is needed of an event of API Gateway (payload version 1). */
export interface LambdaEventV1 {
  readonly httpMethod: string;
  readonly path: string;
  readonly headers: Texts | null;
  /** Decoded. */
  readonly multiValueQueryStringParameters?: Readonly<
    Record<string, readonly string[] | undefined>
  > | null;
  readonly queryStringParameters?: Texts | null | undefined;
  readonly body: string | null;
  readonly isBase64Encoded: boolean;
  /** `path` here has the stage in front of it, as the caller has. */
  readonly requestContext?: {
    readonly path?: string | undefined;
    readonly domainName?: string | undefined;
  };
}

/** What is needed of an event of API Gateway (payload version 2) or of a function URL. */
export interface LambdaEventV2 {
  readonly rawPath: string;
  readonly rawQueryString: string;
  readonly headers: Texts;
  readonly body?: string | undefined;
  readonly isBase64Encoded: boolean;
  readonly requestContext: {
    readonly http: { readonly method: string };
    readonly domainName?: string | undefined;
  };
}

/** What API Gateway and function URLs take as an answer. */
export interface LambdaResult {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly isBase64Encoded: boolean;
}

/** A Lambda handler. */
export type LambdaHandler = (event: LambdaEventV1 | LambdaEventV2) => Promise<LambdaResult>;

/**
 * A handler for GET, PUT and POST. Throws `PawlError` for wrong functions.
 *
 * ```ts
 * import { serve } from "pawl/lambda";
 *
 * export const handler = serve({ client, functions });
 * ```
 */
export function serve(options: ServeOptions): LambdaHandler {
  const handle = createHandler("aws-lambda", options);
  return async (event) => {
    const request = "rawPath" in event ? fromVersion2(event) : fromVersion1(event);
    const { status, headers, body } = await handle(request);
    return { statusCode: status, headers: { ...headers }, body, isBase64Encoded: false };
  };
}

function fromVersion2(event: LambdaEventV2): ServeRequest {
  const query = event.rawQueryString === "" ? "" : `?${event.rawQueryString}`;
  const { http, domainName } = event.requestContext;
  return toRequest(http.method, `${event.rawPath}${query}`, domainName, event);
}

function fromVersion1(event: LambdaEventV1): ServeRequest {
  const query = queryOf(event).toString();
  const path = event.requestContext?.path ?? event.path;
  const target = query === "" ? path : `${path}?${query}`;
  return toRequest(event.httpMethod, target, event.requestContext?.domainName, event);
}

function queryOf(event: LambdaEventV1): URLSearchParams {
  const query = new URLSearchParams();
  const parameters: Readonly<Record<string, string | readonly string[] | undefined>> =
    event.multiValueQueryStringParameters ?? event.queryStringParameters ?? {};
  for (const [name, given] of Object.entries(parameters)) {
    const values = typeof given === "string" ? [given] : (given ?? []);
    for (const value of values) query.append(name, value);
  }
  return query;
}

function toRequest(
  method: string,
  target: string,
  domainName: string | undefined,
  event: LambdaEventV1 | LambdaEventV2,
): ServeRequest {
  const headers = new Map<string, string>(domainName === undefined ? [] : [["host", domainName]]);
  for (const [name, value] of Object.entries(event.headers ?? {})) {
    if (value !== undefined) headers.set(name.toLowerCase(), value);
  }
  const header = (name: string): string | null => headers.get(name) ?? null;
  return {
    method,
    url: publicUrl(header, target, true) ?? "https://localhost/",
    header,
    body: event.isBase64Encoded ? fromBase64(event.body ?? "") : (event.body ?? ""),
  };
}

function fromBase64(text: string): string {
  const bytes = Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
  return new TextDecoder().decode(bytes);
}
