// The adapters for frameworks that speak the web's Request and Response: Hono and h3 themselves, the
// others in the shapes in which their frameworks call.
import { H3, toNodeHandler } from "h3";
import { Hono } from "hono";
import { serve as serveAstro } from "pawl/astro";
import { serve as serveBun } from "pawl/bun";
import { serve as serveCloudflare } from "pawl/cloudflare";
import { serve as serveDeno } from "pawl/deno";
import { serve as serveEdge } from "pawl/edge";
import { serve as serveFetch, type FetchEventHandler, type FetchHandler } from "pawl/fetch";
import { serve as serveH3 } from "pawl/h3";
import { serve as serveHono } from "pawl/hono";
import { serve as serveNext } from "pawl/next";
import { serve as serveNuxt } from "pawl/nuxt";
import { serve as serveRemix } from "pawl/remix";
import { serve as serveSvelteKit } from "pawl/sveltekit";
import { adapterContract } from "./support/contract.ts";
import { direct, listen, type Site } from "./support/site.ts";

adapterContract("hono", "hono", (options) => {
  const app = new Hono();
  app.on(["GET", "PUT", "POST"], "/api/pawl", serveHono(options));
  return Promise.resolve(direct((request) => app.fetch(request)));
});

adapterContract(
  "hono behind a middleware that reads bodies, below a base path",
  "hono",
  (options) => {
    const app = new Hono();
    app.use(async (context, next) => {
      if (context.req.method === "POST") await context.req.json();
      await next();
    });
    const inner = new Hono();
    inner.all("/pawl", serveHono(options));
    app.route("/api", inner);
    return Promise.resolve(direct((request) => app.fetch(request)));
  },
);

adapterContract("h3 version 2 over a socket", "h3", (options) => {
  const app = new H3();
  app.all("/api/pawl", serveH3(options));
  return listen(toNodeHandler(app));
});

adapterContract("nuxt, whose routes may be handlers of h3 version 2", "nuxt", (options) => {
  const app = new H3();
  app.all("/api/pawl", serveNuxt(options));
  return Promise.resolve(direct((request) => app.fetch(request)));
});

const plain: readonly [string, string, (...args: Parameters<typeof serveFetch>) => FetchHandler][] =
  [
    ["fetch", "fetch", serveFetch],
    ["bun", "bun", serveBun],
    ["deno", "deno", serveDeno],
    ["edge", "edge", serveEdge],
    ["cloudflare, a Worker", "cloudflare", serveCloudflare],
  ];
for (const [what, framework, serve] of plain) {
  adapterContract(what, framework, (options) => Promise.resolve(direct(serve(options))));
}

adapterContract("cloudflare, a function of Pages", "cloudflare", (options) => {
  const onRequest = serveCloudflare(options);
  const context = { env: {}, params: {}, waitUntil: () => undefined };
  return Promise.resolve(direct((request) => onRequest({ ...context, request })));
});

adapterContract("next, app router", "nextjs", (options) =>
  Promise.resolve(byMethod(serveNext(options), (handler, request) => handler(request))),
);

adapterContract("remix", "remix", (options) => {
  const handler = serveRemix(options);
  const rest = { params: {}, context: {} };
  return Promise.resolve(direct((request) => handler({ ...rest, request })));
});

const endpoints = [
  ["sveltekit", serveSvelteKit],
  ["astro", serveAstro],
] as const;
for (const [framework, serve] of endpoints) {
  adapterContract(framework, framework, (options) => {
    const event = { url: new URL("https://shop.example"), params: {}, locals: {} };
    const call = (handler: FetchEventHandler, request: Request): Promise<Response> =>
      handler({ ...event, request });
    return Promise.resolve(byMethod(serve(options), call));
  });
}

interface Methods<Handler> {
  readonly GET: Handler;
  readonly POST: Handler;
  readonly PUT: Handler;
}

/** Frameworks choose the export by the method. */
function byMethod<Handler>(
  route: Methods<Handler>,
  call: (handler: Handler, request: Request) => Promise<Response>,
): Site {
  return direct((request) => {
    const { method } = request;
    if (method !== "GET" && method !== "POST" && method !== "PUT") throw new TypeError(method);
    return call(route[method], request);
  });
}
