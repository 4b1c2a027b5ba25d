// What everybody may see: that the server is up, and a page for people who open its address.
import { valueResponse } from "../http/response.ts";
import type { Route } from "../http/router.ts";
import type { ApiContext } from "./context.ts";
import { version } from "./version.ts";

const shared = { method: "GET", access: "public", bodyBytesMax: 0, startsWork: false } as const;

/** `GET /` and `GET /health` (protocol.md 4, 8.1). */
export function publicRoutes(context: ApiContext): readonly Route[] {
  return [
    {
      ...shared,
      pattern: "/health",
      anyOrigin: true,
      handle: () => valueResponse(200, { status: 200, message: "OK" }),
    },
    {
      ...shared,
      pattern: "/",
      anyOrigin: false,
      handle: (request) => ({
        status: 200,
        headers: { "content-type": "text/html; charset=utf-8" },
        body: page(context, request.header("host") ?? "localhost"),
      }),
    },
  ];
}

interface Endpoint {
  readonly call: string;
  readonly purpose: string;
}

const endpoints: readonly Endpoint[] = [
  { call: "POST /e/{key}", purpose: "send events" },
  { call: "POST /invoke/{function}", purpose: "start a function by its id" },
  { call: "GET /v1/events", purpose: "events, newest first" },
  { call: "GET /v1/events/{id}/runs", purpose: "runs that an event started" },
  { call: "GET /v1/runs/{id}", purpose: "status and output of a run" },
  { call: "DELETE /v1/runs/{id}", purpose: "cancel a run" },
  { call: "GET /v1/runs", purpose: "runs, newest first, by status, function, app and time" },
  { call: "GET /v1/runs/{id}/trace", purpose: "what a run did and does" },
  { call: "GET /openapi.json", purpose: "all of the REST API, described" },
  { call: "POST /v0/gql", purpose: "GraphQL over the same" },
  { call: "POST /mcp", purpose: "tools for language models" },
  { call: "GET /metrics", purpose: "measurements for Prometheus" },
  { call: "GET /health", purpose: "whether the server is up" },
];

const devEndpoints: readonly Endpoint[] = [
  { call: "GET /dev", purpose: "settings, apps and functions" },
  { call: "GET /v0/", purpose: "a page to try GraphQL queries" },
  { call: "GET /dev/timeline", purpose: "runs and steps as they happen, one JSON object a line" },
];

function page(context: ApiContext, host: string): string {
  const listed = context.kind === "dev" ? [...endpoints, ...devEndpoints] : endpoints;
  const rows = listed.map(
    ({ call, purpose }) =>
      `<tr><td><code>${escaped(call)}</code></td><td>${escaped(purpose)}</td></tr>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Pawl</title>
<style>
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 3rem auto; padding: 0 1rem; }
td { padding: 0.2rem 1.5rem 0.2rem 0; vertical-align: top; }
</style>
</head>
<body>
<h1>Pawl ${escaped(version)}</h1>
<p>The ${context.kind === "dev" ? "development" : "production"} server at <code>http://${escaped(host)}</code> is running.</p>
<table>
${rows.join("\n")}
</table>
</body>
</html>
`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${String(character.charCodeAt(0))};`);
}
