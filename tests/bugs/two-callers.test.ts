// The same step executed by two callers: a proxy in front of the app answers 504 while the app
// still works, so the server calls again. With both SDKs, as real processes on a real server.
import assert from "node:assert/strict";
import { createServer, request as forward, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { functionsKnown, startApp } from "../crash/campaign.ts";
import { readEffects } from "../crash/effects.ts";
import { PawlServer } from "../support/pawl-server.ts";
import { freePort } from "../support/ports.ts";
import { makeTempDir } from "../support/temp-dir.ts";

/** The proxy gives up on the first call after this; the step that it carries takes longer. */
const proxyMs = 300;

interface Proxy {
  readonly url: string;
  /** Calls that it gave up. */
  readonly count: () => number;
  close(): void;
}

async function startProxy(port: number): Promise<Proxy> {
  let cut = 0;
  const server: Server = createServer((incoming, response) => {
    const { method, url, headers } = incoming;
    const onward = forward({ host: "127.0.0.1", port, method, path: url, headers }, (answer) => {
      if (response.headersSent) return void answer.resume();
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    incoming.pipe(onward);
    if (method !== "POST" || cut > 0) return;
    cut++;
    setTimeout(() => response.writeHead(504).end("gateway timeout"), proxyMs);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address() as AddressInfo; // proof: a TCP server that listens has one
  return {
    url: `http://127.0.0.1:${String(address.port)}/api/inngest`,
    count: () => cut,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

for (const sdk of ["pawl", "inngest"]) {
  test(`bug class 5: the same step executed by two callers has one value (${sdk})`, async () => {
    const dir = makeTempDir("callers");
    const effects = join(dir, "effects.jsonl");
    const [port, appPort] = [await freePort(), await freePort()];
    const url = `http://127.0.0.1:${String(port)}`;
    const proxy = await startProxy(appPort);
    const app = await startApp(
      fileURLToPath(new URL(`app-callers-${sdk}.ts`, import.meta.url)),
      appPort,
      {
        EFFECTS: effects,
        PAWL_DEV: "1",
        PAWL_BASE_URL: url,
        INNGEST_DEV: url,
        PAWL_SERVE_ORIGIN: new URL(proxy.url).origin,
        INNGEST_SERVE_ORIGIN: new URL(proxy.url).origin,
      },
    );
    const flags = ["--retry-interval", "1", "--no-poll"];
    const server = await PawlServer.start({ dir, port, apps: [proxy.url], flags });
    try {
      await functionsKnown(url, 1);
      const run = await server.api.runOf({ name: "bugs/callers", data: { key: "one" } });
      assert.equal(run.status, "Completed");
      assert.equal(proxy.count(), 1);
      const facts = readEffects(effects);
      const ran = facts.filter((fact) => fact.kind === "ran").map(({ step }) => step);
      assert.deepEqual(ran.toSorted(), ["a", "a", "b", "c", "d"]);
      const values = new Map<string, Set<string>>();
      for (const fact of facts) {
        if (fact.kind !== "saw") continue;
        values.set(fact.step, (values.get(fact.step) ?? new Set()).add(fact.value));
      }
      // The first caller of `inngest` sees its own value before it hears that it came too late.
      const first = facts.find((fact) => fact.kind === "ran");
      if (sdk === "inngest") values.get("a")?.delete(first?.value ?? "");
      for (const [step, seen] of values) assert.equal(seen.size, 1, `${step}: ${[...seen].join()}`);
      assert.deepEqual(
        run.output,
        ["a", "b", "c", "d"].flatMap((step) => [...(values.get(step) ?? [])]),
      );
    } finally {
      await server.stop();
      await app.stop("SIGKILL");
      proxy.close();
    }
  });
}
