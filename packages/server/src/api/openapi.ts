// The OpenAPI document, made from the descriptions of the routes: its schemas are the ones that
// check requests. It must not know what the routes do.
import { z } from "zod";
import type { Access, Route } from "../http/router.ts";
import type { DocumentedRoute } from "./endpoint.ts";
import { version } from "./version.ts";

type Schema = Readonly<Record<string, unknown>>;

const errorOfV1 = z.object({ error: z.string(), status: z.int(), code: z.string() });
const errorOfV2 = z.object({
  errors: z.array(z.object({ code: z.string(), message: z.string() })),
});
const time = z.iso.datetime();
const metadataOfV1 = z.object({ fetched_at: time, cached_until: time.nullable() });
const metadataOfV2 = z.object({ fetchedAt: time, cachedUntil: time.nullable() });
const pageOfV2 = z.object({
  cursor: z.string().optional(),
  hasMore: z.boolean(),
  limit: z.int(),
});

/** The document as plain data. Routes without a description are not in it. */
export function openApiDocument(routes: readonly Route[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    if (!isDocumented(route)) continue;
    const path = route.pattern.replace(/:(\w+)/g, "{$1}");
    (paths[path] ??= {})[route.method.toLowerCase()] = operation(route);
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
        ErrorV1: schemaOf(errorOfV1),
        ErrorV2: schemaOf(errorOfV2),
        MetadataV1: schemaOf(metadataOfV1),
        MetadataV2: schemaOf(metadataOfV2),
        PageV2: schemaOf(pageOfV2),
      },
    },
  };
}

function isDocumented(route: Route): route is DocumentedRoute {
  return "doc" in route;
}

function operation(route: DocumentedRoute): object {
  const { doc, method, pattern, access } = route;
  return {
    tags: [doc.tag],
    summary: doc.summary,
    operationId: `${method.toLowerCase()}${pattern.replace(/[/:]+(\w)/g, (_, first: string) => first.toUpperCase())}`,
    security: securityOf(access),
    parameters: [...pathParameters(pattern), ...queryParameters(doc.query)],
    ...(doc.body === null
      ? null
      : { requestBody: { required: true, content: json(schemaOf(doc.body)) } }),
    responses: responses(route),
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

function queryParameters(query: z.ZodObject | null): readonly object[] {
  if (query === null) return [];
  const shape: Readonly<Record<string, z.core.$ZodType>> = query.shape;
  return Object.entries(shape).map(([name, schema]) => {
    const { description, ...rest } = schemaOf(schema);
    return {
      name,
      in: "query",
      required: false,
      ...(description === undefined ? null : { description }),
      schema: rest,
    };
  });
}

function responses({ doc, pattern }: DocumentedRoute): object {
  const generation = pattern.startsWith("/v2/") ? "V2" : "V1";
  const data = doc.data === null ? {} : schemaOf(doc.data);
  const isPage = generation === "V2" && doc.data instanceof z.ZodArray;
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
        : { content: json(doc.isBare === true ? data : envelope) }),
    },
    default: { description: "Refused.", content: json(reference(`Error${generation}`)) },
  };
}

function reference(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

function json(schema: Schema): object {
  return { "application/json": { schema } };
}

/** What a client may send, or gets: before defaults and transformations. */
function schemaOf(schema: z.core.$ZodType): Schema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return rest;
}
