// A route with its description: the schemas that check a request are the ones that the OpenAPI
// document shows. It must not know what an endpoint does.
import { z } from "zod";
import { assertJson } from "@pawl/protocol/json-span";
import { fromJsonText, type JsonValue } from "@pawl/protocol/json-text";
import { isJsonObject } from "@pawl/protocol/object-reader";
import type { RouteRequest } from "../http/message.ts";
import type { Problem } from "../http/problem.ts";
import type { HttpResponse } from "../http/response.ts";
import type { Access, Route } from "../http/router.ts";
import { BodyError, ServerError } from "../server-error.ts";

/** What people read about a route. Parts of the path are described by their names alone. */
export interface RouteDoc {
  readonly tag: string;
  readonly summary: string;
  readonly query: z.ZodObject | null;
  readonly body: z.ZodType | null;
  /** What `data` of the answer holds; null: nothing worth describing. */
  readonly data: z.ZodType | null;
  /** Of the answer when all goes well. */
  readonly status: number;
  /** The answer is `data` itself, in no envelope; without `data` it is no JSON. */
  readonly isBare?: boolean;
  /** Of an answer of the same shape that tells of a failure; null: there is none. */
  readonly failureStatus: number | null;
  /** Another content type, of bytes, that body and answer may have. */
  readonly otherType?: string;
}

export interface DocumentedRoute extends Route {
  readonly doc: RouteDoc;
}

/** A request after its schemas: only what they let through. */
export interface EndpointInput<Q extends z.ZodObject, B extends z.ZodType> {
  readonly request: RouteRequest;
  /** Parts of the path by name. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: z.output<Q>;
  readonly body: z.output<B>;
}

export interface EndpointParts<Q extends z.ZodObject, B extends z.ZodType> {
  readonly method: Route["method"];
  readonly pattern: string;
  readonly tag: string;
  readonly summary: string;
  /** A strict object refuses parameters that it does not name. */
  readonly query?: Q;
  /** Given: a JSON body is read and checked. */
  readonly body?: B;
  /** Without `body`: above 0, a body is refused, else it is ignored. */
  readonly bodyBytesMax?: number;
  readonly data?: z.ZodType;
  readonly status?: number;
  readonly isBare?: boolean;
  readonly failureStatus?: number;
  readonly access: Access;
  readonly startsWork?: boolean;
  /** How refusals are written; without it as the REST API v1 does. */
  readonly refuse?: (problem: Problem) => HttpResponse;
  readonly handle: (input: EndpointInput<Q, B>) => HttpResponse | Promise<HttpResponse>;
}

const smallBodyBytesMax = 256 * 1024;

/** The route of a described endpoint. Requests that do not fit throw `parameter_invalid` or `body_invalid`. */
export function endpoint<
  Q extends z.ZodObject = z.ZodObject<Record<never, never>>,
  B extends z.ZodType = z.ZodUndefined,
>(parts: EndpointParts<Q, B>): DocumentedRoute {
  const { method, pattern, tag, summary, query, body, handle } = parts;
  return {
    method,
    pattern,
    access: parts.access,
    bodyBytesMax: parts.bodyBytesMax ?? (body === undefined ? 0 : smallBodyBytesMax),
    anyOrigin: false,
    startsWork: parts.startsWork ?? false,
    ...(parts.refuse === undefined ? null : { refuse: parts.refuse }),
    doc: {
      tag,
      summary,
      query: query ?? null,
      body: body ?? null,
      data: parts.data ?? null,
      status: parts.status ?? 200,
      isBare: parts.isBare ?? false,
      failureStatus: parts.failureStatus ?? null,
    },
    handle: (request) =>
      handle({
        request,
        params: request.params,
        query: readQuery(query, request.query) as z.output<Q>, // proof: read by Q; {} without one
        body: readBody(body, request.body) as z.output<B>, // proof: read by B; undefined without one
      }),
  };
}

function readQuery(schema: z.ZodObject | undefined, query: URLSearchParams): unknown {
  if (schema === undefined) return {};
  const given: Record<string, unknown> = {};
  for (const key of new Set(query.keys())) {
    const values = query.getAll(key);
    const [value = ""] = values;
    const shape: unknown = schema.shape[key];
    if (isList(shape)) given[key] = values.flatMap((one) => one.split(","));
    else if (shape !== undefined && values.length > 1) refuseParameter(key, "given more than once");
    else if (isNumber(shape) && !/^-?\d{1,15}$/.test(value))
      refuseParameter(key, "must be a whole number");
    else given[key] = value;
  }
  const read = schema.safeParse(given);
  if (read.success) return read.data;
  throw new ServerError("parameter_invalid", `Query parameter ${problemOf(read.error)}`);
}

function refuseParameter(key: string, problem: string): never {
  throw new ServerError("parameter_invalid", `Query parameter ${key}: ${problem}`);
}

function readBody(schema: z.ZodType | undefined, body: string): unknown {
  if (schema === undefined) {
    if (body === "") return undefined;
    throw new ServerError("body_invalid", "This endpoint takes no body.");
  }
  const value = fromJsonText(assertJson(body.trim() === "" ? "{}" : body));
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  throw new BodyError(
    `The body does not fit: ${problemOf(read.error)}`,
    faultOf(read.error, value),
  );
}

function faultOf({ issues: [issue] }: z.ZodError, body: JsonValue): BodyError["fault"] {
  if (issue === undefined || issue.path.length === 0) return null;
  const found = issue.path.reduce<JsonValue | undefined>(memberOf, body);
  return found === undefined ? "missing" : "format";
}

function memberOf(value: JsonValue | undefined, key: PropertyKey): JsonValue | undefined {
  if (isJsonObject(value)) return value[String(key)];
  // proof: JSON that is no object is a list, a text, a number, a truth value or null
  return Array.isArray(value) ? (value as readonly JsonValue[])[Number(key)] : undefined;
}

function problemOf(error: z.ZodError): string {
  const [issue] = error.issues;
  if (issue?.code === "unrecognized_keys")
    return `${[...issue.path, issue.keys.join(", ")].join(".")}: not known here`;
  const path = issue?.path.join(".") ?? "";
  return `${path === "" ? "" : `${path}: `}${issue?.message ?? "invalid"}`;
}

/** Text that JavaScript would take for a number, like the empty one, is none. */
function isNumber(schema: unknown): boolean {
  if (schema instanceof z.ZodNumber) return true;
  return (
    (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) && isNumber(schema.unwrap())
  );
}

/** Optional, defaulted and transformed lists are lists too. */
function isList(schema: unknown): boolean {
  if (schema instanceof z.ZodArray) return true;
  if (schema instanceof z.ZodPipe) return isList(schema.in);
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) {
    return isList(schema.unwrap());
  }
  return false;
}
