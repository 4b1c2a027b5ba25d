// The OpenAPI document, made from the descriptions of the routes: its schemas are the ones that
// check requests. It must not know what the routes do.
import { z } from "zod";
import type { Access, Route } from "../http/router.ts";
import type { DocumentedRoute, RouteDoc } from "./endpoint.ts";
import { Schemas, type Schema } from "./openapi-schemas.ts";
import { version } from "./version.ts";

const errorOfV1 = z.object({
  error: z.string(),
  status: z.int(),
  code: z.string(),
  position: z.int().optional().describe("Where in an expression the problem is."),
  request_id: z.string().optional().describe("For the log of the server."),
});
const errorOfV2 = z.object({
  errors: z.array(z.object({ code: z.string(), message: z.string() })),
  data: z.json().optional().describe("Of a repeated invocation: the run that was started for it."),
});
const time = z.iso.datetime();
const metadataOfV1 = z.object({
  fetched_at: time,
  cached_until: time.nullable(),
  search: z
    .object({ scanned: z.int(), has_more: z.boolean(), cursor: z.string().nullable() })
    .optional()
    .describe("Of a search by expression: how far it looked."),
});
const metadataOfV2 = z.object({ fetchedAt: time, cachedUntil: time.nullable() });
const pageOfV2 = z.object({
  cursor: z.string().optional(),
  hasMore: z.boolean(),
  limit: z.int(),
  scanned: z.int().optional().describe("Records that a search looked at."),
});

/** The document as plain data. Routes without a description are not in it. */
export function openApiDocument(routes: readonly Route[]): object {
  const schemas = new Schemas();
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    if (!isDocumented(route)) continue;
    const path = route.pattern.replace(/:(\w+)/g, "{$1}");
    (paths[path] ??= {})[route.method.toLowerCase()] = operation(route, schemas);
  }
  return {
    openapi: "3.1.0",
    info: { title: "Pawl", version },
    paths,
    components: {
      securitySchemes: {
        signingKey: { type: "http", scheme: "bearer", description: "The signing key or its hash." },
        apiKey: {
          type: "http",
          scheme: "bearer",
          description: "An API key with the scope that the endpoint names.",
        },
        token: {
          type: "apiKey",
          in: "query",
          name: "token",
          description: "A token that the server gave for this, for a short while.",
        },
      },
      schemas: {
        ErrorV1: schemas.of(errorOfV1),
        ErrorV2: schemas.of(errorOfV2),
        MetadataV1: schemas.of(metadataOfV1),
        MetadataV2: schemas.of(metadataOfV2),
        PageV2: schemas.of(pageOfV2),
        ...schemas.named,
      },
    },
  };
}

function isDocumented(route: Route): route is DocumentedRoute {
  return "doc" in route;
}

function operation(route: DocumentedRoute, schemas: Schemas): object {
  const { doc, method, pattern, access } = route;
  return {
    tags: [doc.tag],
    summary: doc.summary,
    operationId: `${method.toLowerCase()}${pattern.replace(/[/:]+(\w)/g, (_, first: string) => first.toUpperCase())}`,
    security: securityOf(access),
    parameters: [...pathParameters(pattern), ...queryParameters(doc.query, schemas)],
    ...(doc.body === null
      ? null
      : { requestBody: { required: true, content: content(doc, schemas.of(doc.body)) } }),
    responses: responses(route, schemas),
  };
}

/** Any one of what is listed opens an endpoint. */
function securityOf(access: Access): readonly Readonly<Record<string, readonly string[]>>[] {
  if (access === "public") return [];
  if (access === "signed") return [{ signingKey: [] }];
  if (access === "token") return [{ token: [] }];
  return [{ signingKey: [] }, { apiKey: access === "key" ? [] : [access] }];
}

function pathParameters(pattern: string): readonly object[] {
  return [...pattern.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
}

function queryParameters(query: z.ZodObject | null, schemas: Schemas): readonly object[] {
  if (query === null) return [];
  const shape: Readonly<Record<string, z.core.$ZodType>> = query.shape;
  return Object.entries(shape).map(([name, schema]) => {
    const { description, ...rest } = schemas.of(schema);
    return {
      name,
      in: "query",
      required: false,
      ...(description === undefined ? null : { description }),
      schema: rest,
    };
  });
}

function responses({ doc, method, pattern }: DocumentedRoute, schemas: Schemas): object {
  const generation = pattern.startsWith("/v2/") ? "V2" : "V1";
  const data = doc.data === null ? {} : schemas.of(doc.data);
  const isPage = generation === "V2" && method === "GET" && doc.data instanceof z.ZodArray;
  const envelope = {
    type: "object",
    required: ["data", "metadata", ...(isPage ? ["page"] : [])],
    properties: {
      data,
      metadata: reference(`Metadata${generation}`),
      ...(isPage ? { page: reference("PageV2") } : null),
    },
  };
  return {
    [String(doc.status)]: {
      description: "Done.",
      ...(doc.isBare === true && doc.data === null
        ? null
        : { content: content(doc, doc.isBare === true ? data : envelope) }),
    },
    ...(doc.failureStatus === null
      ? null
      : { [String(doc.failureStatus)]: { description: "Tried.", content: json(envelope) } }),
    default: { description: "Refused.", content: json(reference(`Error${generation}`)) },
  };
}

function reference(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

function content({ otherType }: RouteDoc, schema: Schema): object {
  if (otherType === undefined) return json(schema);
  return { ...json(schema), [otherType]: { schema: { type: "string", format: "binary" } } };
}

function json(schema: Schema): object {
  return { "application/json": { schema } };
}
