// `GET /openapi.json`: the description of the routes, made when somebody first asks for it.
import { hash } from "node:crypto";
import { jsonResponse } from "../http/response.ts";
import type { Route } from "../http/router.ts";

interface Description {
  readonly text: string;
  /** Changes with the text. */
  readonly etag: string;
}

/** The route over the routes that the document describes. Who has it already is told so (304). */
export function openApiRoute(routes: readonly Route[]): Route {
  let description: Promise<Description> | null = null;
  return {
    method: "GET",
    pattern: "/openapi.json",
    access: "key",
    bodyBytesMax: 0,
    anyOrigin: false,
    startsWork: false,
    handle: async (request) => {
      const { text, etag } = await (description ??= describe(routes));
      const caching = { etag, "cache-control": "private, no-cache" };
      const known = (request.header("if-none-match") ?? "").split(",").map((tag) => tag.trim());
      if (known.includes(etag)) return { status: 304, headers: caching, body: "" };
      const response = jsonResponse(200, text);
      return { ...response, headers: { ...response.headers, ...caching } };
    },
  };
}

async function describe(routes: readonly Route[]): Promise<Description> {
  const { openApiDocument } = await import("./openapi.ts");
  const text = JSON.stringify(openApiDocument(routes));
  return { text, etag: `"${hash("sha256", text, "base64url")}"` };
}
