// The adapters for frameworks of Node, on the frameworks themselves, over loopback sockets.
import assert from "node:assert/strict";
import http from "node:http";
import { createRequire } from "node:module";
import { test } from "node:test";
import { bodyParser } from "@koa/bodyparser";
import { Router } from "@koa/router";
import express from "express";
import Fastify, { type FastifyInstance } from "fastify";
import * as h3v1 from "h3v1";
import Koa from "koa";
import { serve as serveExpress } from "pawl/express";
import { serve as serveFastify } from "pawl/fastify";
import { serve as serveH3 } from "pawl/h3";
import { serve as serveKoa } from "pawl/koa";
import { servePages } from "pawl/next";
import { serve as serveNode } from "pawl/node";
import { serve as serveNuxt } from "pawl/nuxt";
import { adapterContract, makeApp } from "./support/contract.ts";
import { listen, type Site } from "./support/site.ts";

adapterContract("node:http", "nodejs", (options) => listen(serveNode(options)));

adapterContract("express, mounted at a path", "express", (options) => {
  const app = express();
  app.use("/api/pawl", serveExpress(options));
  return listen(app);
});

// proof: of what is used here, version 4 has the same; a package under two names cannot have its types
const express4 = createRequire(import.meta.url)("express4") as typeof express;

adapterContract("express 4 behind express.json()", "express", (options) => {
  const app = express4();
  app.use(express4.json({ limit: "32mb" }));
  app.use("/api/pawl", serveExpress(options));
  return listen(app);
});

adapterContract("express behind express.json()", "express", (options) => {
  const app = express();
  app.use(express.json({ limit: "32mb" }));
  app.use("/api/pawl", serveExpress(options));
  return listen(app);
});

adapterContract(
  "express behind a parser of bytes, in a router of a router",
  "express",
  (options) => {
    const app = express();
    app.use(express.raw({ type: "*/*", limit: "32mb" }));
    const router = express.Router();
    router.use("/pawl", serveExpress(options));
    app.use("/deep", router);
    return listen(app, "/deep/pawl");
  },
);

adapterContract("koa with a router", "koa", (options) => {
  const app = new Koa();
  const router = new Router();
  router.all("/api/pawl", serveKoa(options));
  app.use(router.routes());
  return listen(app.callback());
});

adapterContract("koa behind a body parser, below a prefix", "koa", (options) => {
  const app = new Koa();
  app.use(bodyParser({ jsonLimit: "32mb" }));
  const router = new Router({ prefix: "/deep" });
  router.all("/pawl", serveKoa(options));
  app.use(router.routes());
  return listen(app.callback(), "/deep/pawl");
});

async function listenFastify(app: FastifyInstance, path: string): Promise<Site> {
  const origin = await app.listen({ port: 0, host: "127.0.0.1" });
  return { url: `${origin}${path}`, fetch, close: () => app.close() };
}

adapterContract("fastify", "fastify", async (options) => {
  const app = Fastify();
  await app.register(serveFastify(options));
  return listenFastify(app, "/api/pawl");
});

adapterContract("fastify with a parser of its own, below a prefix", "fastify", async (options) => {
  const app = Fastify();
  app.addContentTypeParser("*", (_request, _payload, done) => done(null, {}));
  await app.register(serveFastify(options), { prefix: "/v1", path: "/jobs" });
  return listenFastify(app, "/v1/jobs");
});

test("fastify: the plugin's parser is its own; other routes keep theirs", async () => {
  const app = Fastify();
  await app.register(serveFastify(makeApp("dev").options));
  app.post("/other", (request) => ({ got: request.body }));
  const payload = { a: 1 };
  const answer = await app.inject({ method: "POST", url: "/other", payload });
  assert.deepEqual(answer.json(), { got: payload });
  await app.close();
});

adapterContract("h3 version 1", "h3", (options) => {
  const router = h3v1.createRouter();
  router.use("/api/pawl", h3v1.defineEventHandler(serveH3(options)));
  const app = h3v1.createApp();
  app.use(router);
  return listen(h3v1.toNodeListener(app));
});

adapterContract("nuxt, whose routes are handlers of h3 version 1", "nuxt", (options) => {
  const app = h3v1.createApp();
  app.use("/api/pawl", h3v1.defineEventHandler(serveNuxt(options)));
  return listen(h3v1.toNodeListener(app));
});

adapterContract("next, pages router without its body parser", "nextjs", (options) =>
  listen(servePages(options)),
);

test("a client that leaves in the middle of its body, or has no usable address, does no harm", async () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown): number => unhandled.push(error);
  process.on("unhandledRejection", note);
  const site = await listen(serveNode(makeApp("dev").options));
  const { port } = new URL(site.url);
  const gone = new Promise<void>((resolve) => {
    const request = http.request({ port, method: "POST", headers: { "content-length": 100 } });
    request.on("error", () => resolve());
    request.write("half", () => request.destroy());
  });
  await gone;
  const status = await new Promise((resolve, reject) => {
    const request = http.request({ port, path: "/", headers: { host: "not a host" } });
    request.on("response", (response) => resolve(response.resume().statusCode)).on("error", reject);
    request.end();
  });
  assert.equal(status, 400);
  assert.equal((await fetch(site.url)).status, 200);
  await site.close();
  process.off("unhandledRejection", note);
  assert.deepEqual(unhandled, []);
});

test("a path that begins with two slashes is no host", async () => {
  const { options, sent } = makeApp("dev");
  const site = await listen(serveNode(options));
  const { port, host } = new URL(site.url);
  const status = await new Promise((resolve, reject) => {
    const request = http.request({ port, method: "PUT", path: "//elsewhere.example/api" });
    request.on("response", (response) => resolve(response.resume().statusCode)).on("error", reject);
    request.end();
  });
  await site.close();
  assert.equal(status, 200);
  assert.match(
    sent[0]?.body ?? "",
    new RegExp(`"url":"http://(localhost|${host})[^/]*//elsewhere`),
  );
});

test("a body that says it is too large is refused before it is read", async () => {
  const site = await listen(serveNode(makeApp("dev").options));
  const { port } = new URL(site.url);
  const status = await new Promise((resolve, reject) => {
    const headers = { "content-length": 65 * 1024 * 1024 };
    const request = http.request({ port, method: "POST", headers });
    request.on("response", (response) => {
      resolve(response.statusCode);
      request.destroy();
    });
    request.on("error", reject);
    request.flushHeaders();
  });
  await site.close();
  assert.equal(status, 413);
});
