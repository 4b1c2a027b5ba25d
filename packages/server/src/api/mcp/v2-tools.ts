// The endpoints of the REST API v2 as MCP tools (protocol.md 8.5): each gets its description, its schema
// and its hints from the route, and does what the route does. It must not know any endpoint.
import { z } from "zod";
import { sliceObject } from "@pawl/protocol/json-span";
import type { JsonText } from "@pawl/protocol/json-text";
import { isScope, nobody } from "../../auth/scopes.ts";
import { noBody } from "../../http/body.ts";
import type { Route } from "../../http/router.ts";
import type { DocumentedRoute } from "../endpoint.ts";
import { looks, type Tool, type ToolHints } from "./tool.ts";

const prefix = "/v2/";

/** A tool for each described endpoint of v2 among some routes. */
export function v2Tools(routes: readonly Route[]): readonly Tool[] {
  return routes.flatMap((route) =>
    isDescribed(route) && route.pattern.startsWith(prefix) ? [toolOf(route)] : [],
  );
}

function isDescribed(route: Route): route is DocumentedRoute {
  return "doc" in route;
}

function toolOf(route: DocumentedRoute): Tool {
  const { method, pattern, access, doc } = route;
  const path = [...pattern.matchAll(/:(\w+)/g)].map(([, name = ""]) => name);
  const query = Object.keys(doc.query?.shape ?? {});
  const body = doc.body instanceof z.ZodObject ? doc.body : z.object({});
  return {
    name: `v2_${method.toLowerCase()}_${pattern.slice(prefix.length).replaceAll(/[/:]+/g, "_")}`,
    description: `${doc.summary} (${method} ${pattern}).`,
    input: z.strictObject({
      ...Object.fromEntries(path.map((name) => [name, z.string().min(1)])),
      ...Object.fromEntries(query.map((name) => [name, asWritten(doc.query, name)])),
      ...body.shape,
    }),
    hints: hintsOf(route),
    scope: access === "public" ? null : isScope(access) ? access : "admin",
    run: (_input, text) => run(route, { path, query, body: Object.keys(body.shape) }, text),
  };
}

/** A parameter as the description shows it; the route itself checks what is given. */
function asWritten(query: z.ZodObject | null, name: string): z.ZodType {
  const shape: unknown = query?.shape[name];
  if (!(shape instanceof z.ZodType)) return z.unknown().optional();
  const { $schema: _, ...written } = z.toJSONSchema(shape, { io: "input", unrepresentable: "any" });
  return z.unknown().optional().meta(written);
}

function hintsOf({ method, pattern, startsWork }: Route): ToolHints {
  if (method === "GET") return looks;
  return {
    readOnlyHint: false,
    destructiveHint: method === "DELETE" || pattern.endsWith("/cancel"),
    idempotentHint: method === "PUT" || method === "DELETE",
    // What starts makes user code run, which may reach anything.
    openWorldHint: startsWork,
  };
}

/** Which arguments go where. */
interface Names {
  readonly path: readonly string[];
  readonly query: readonly string[];
  readonly body: readonly string[];
}

/** Payloads are handed on as the text that arrived. */
async function run(
  route: DocumentedRoute,
  names: Names,
  text: JsonText,
): Promise<JsonText | { readonly refused: JsonText }> {
  const given = sliceObject(text);
  const query = new URLSearchParams();
  for (const name of names.query)
    for (const value of valuesOf(given.get(name))) query.append(name, value);
  const body = names.body.flatMap((name) => {
    const member = given.get(name);
    return member === undefined ? [] : [`${JSON.stringify(name)}:${member}`];
  });
  const response = await route.handle({
    id: "mcp",
    // The scope of the tool was asked for; no endpoint of v2 asks for more.
    caller: nobody,
    params: Object.fromEntries(
      names.path.map((name) => [name, valuesOf(given.get(name))[0] ?? ""]),
    ),
    query,
    header: () => null,
    body: route.doc.body === null ? "" : `{${body.join(",")}}`,
    incoming: noBody,
  });
  if (typeof response.body !== "string") throw new Error("an endpoint of v2 answers in pieces");
  const answer = response.body as JsonText; // proof: endpoints of v2 answer JSON
  return response.status < 400 ? answer : { refused: answer };
}

/** The texts that an argument would have in a URL; none for what is not given. */
function valuesOf(member: JsonText | undefined): readonly string[] {
  if (member === undefined) return [];
  const value: unknown = JSON.parse(member);
  if (value === null) return [];
  return (Array.isArray(value) ? value : [value]).map((one: unknown) =>
    typeof one === "string" ? one : JSON.stringify(one),
  );
}
