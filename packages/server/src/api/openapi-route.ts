// `GET /openapi.json`: the description of the routes, made when somebody first asks for it.
import { jsonResponse } from "../http/response.ts";
import type { Route } from "../http/router.ts";

/** The route over the routes that the document describes. */
export function openApiRoute(routes: readonly Route[]): Route {
  let document: string | null = null;
  return {
    method: "GET",
    pattern: "/openapi.json",
    access: "key",
    bodyBytesMax: 0,
    anyOrigin: false,
    startsWork: false,
    handle: async () => {
      if (document === null) {
        const { openApiDocument } = await import("./openapi.ts");
        document = JSON.stringify(openApiDocument(routes));
      }
      return jsonResponse(200, document);
    },
  };
}
