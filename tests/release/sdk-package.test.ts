// The package `pawl` as its users get it: packed, unpacked, loaded as ES module and as CommonJS by
// every Node on this machine, and seen by the compiler.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { createContext, runInContext } from "node:vm";
import { signRequest } from "@pawl/protocol/signature";
import { build } from "esbuild";
import { buildSdk, sdkEntries } from "../../scripts/build/sdk.ts";
import { root } from "../../scripts/build/package.ts";
import { callBody, callTo } from "../adapters/support/contract.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import { environmentOf, nodesOnThisMachine, pack, unpack } from "./packed.ts";

const project = makeTempDir("sdk-package");

before(async () => {
  const { folder } = await buildSdk(join(project, "built"));
  unpack(pack(folder, project), project, "pawl");
  cpSync(join(import.meta.dirname, "fixtures"), project, { recursive: true });
  writeFileSync(join(project, "package.json"), '{ "name": "consumer", "private": true }\n');
});

test("an edge runtime: the package needs nothing but what the web has", async () => {
  const contents = `
    import { Pawl } from "pawl";
    import { serve } from "pawl/edge";
    const client = new Pawl({ id: "shop", signingKey: "signkey-test-${"ab".repeat(32)}" });
    const ping = client.createFunction({ id: "ping" }, { event: "ping" }, ({ step }) =>
      step.run("pong", () => new Date(0)));
    globalThis.handler = serve({ client, functions: [ping] });`;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: project },
    bundle: true,
    format: "iife",
    platform: "neutral",
    mainFields: ["module"],
    conditions: ["edge-light", "worker", "import"],
    write: false,
  });
  const names = ["crypto", "Headers", "Request", "Response", "TextDecoder", "TextEncoder", "URL"];
  const more = ["URLSearchParams", "AbortController", "setTimeout", "console", "fetch"];
  const web = Object.fromEntries(
    [...names, ...more].map((name) => [name, Reflect.get(globalThis, name)]),
  );
  const context = createContext(web);
  runInContext(outputFiles[0]?.text ?? "", context);
  // proof: set by the code above
  const handler = context["handler"] as (request: Request) => Promise<Response>;
  const key = `signkey-test-${"ab".repeat(32)}`;
  const site = {
    url: "https://edge.example/api/pawl",
    fetch: handler,
    close: () => Promise.resolve(),
  };
  const body = callBody("");
  const signature = signRequest({ key, body, at: Date.now() });
  const answer = await handler(callTo(site, "shop-ping", body, signature));
  assert.equal(answer.status, 206);
  assert.match(await answer.text(), /"data":"1970-01-01T00:00:00.000Z","types":\{"":"date"\}/);
  assert.equal((await handler(callTo(site, "shop-ping", body))).status, 401);
});

/** What the flow prints. */
interface Flow {
  readonly node: string;
  readonly adapters: Readonly<Record<string, readonly string[]>>;
  readonly [fact: string]: unknown;
}

const nodes = nodesOnThisMachine().filter(({ major }) => major >= 20);

for (const { major, path } of nodes) {
  for (const file of ["flow.mjs", "flow.cjs"]) {
    test(`Node ${major}, ${file}: serve, register, call to the end`, () => {
      const printed = execFileSync(path, [join(project, file)], {
        encoding: "utf8",
        env: environmentOf(path),
        timeout: 60_000,
      });
      const { adapters, ...facts } = JSON.parse(printed) as Flow; // proof: the flow's own output
      assert.deepEqual(facts, {
        node: String(major),
        sdkVersion: version(),
        functionCount: 2,
        ids: ["shop-order", "shop-refuse"],
        status: 206,
        body: { year: 2026, total: "13", b: 2 },
        types: { "/total": "bigint" },
        ops: [
          "StepRun",
          "Sleep",
          "StepPlanned",
          "StepRun",
          "StepPlanned",
          "StepRun",
          "RunComplete",
        ],
        calls: 4,
        counts: { load: 1 },
        refused: [400, "true"],
      });
      assert.deepEqual(Object.keys(adapters), [...sdkEntries().keys()]);
      for (const [subpath, names] of Object.entries(adapters)) {
        assert.ok(names.includes(subpath === "." ? "Pawl" : "serve"), subpath);
      }
    });
  }
}

test("Node 20, the oldest that is supported", (context) => {
  if (nodes.some(({ major }) => major === 20)) return;
  context.skip(`no Node 20 on this machine; ran on ${nodes.map(({ major }) => major).join(", ")}`);
});

function version(): string {
  const text = readFileSync(join(root, "packages/sdk/package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version; // proof: our own package.json
}

test("the package depends on nothing and names no private package", () => {
  const folder = join(project, "node_modules/pawl");
  const manifest: object = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as object; // proof: npm packed it
  for (const field of ["dependencies", "peerDependencies", "private", "scripts"]) {
    assert.ok(!(field in manifest), field);
  }
  for (const file of ["pawl.js", "pawl.cjs", "types/esm/sdk/pawl.d.ts"]) {
    assert.doesNotMatch(
      readFileSync(join(folder, file), "utf8"),
      /(?:from|require\() ?"@pawl/,
      file,
    );
  }
});

const strict = {
  strict: true,
  exactOptionalPropertyTypes: true,
  // The declarations of the package are themselves under test.
  skipLibCheck: false,
  noEmit: true,
  target: "es2022",
};
const web = { lib: ["es2022", "dom", "dom.iterable"], types: [] };
const projects = [
  ["nodenext", { module: "nodenext", ...web }, ["consumer.mts", "consumer.cts"]],
  ["a bundler", { module: "preserve", moduleResolution: "bundler", ...web }, ["consumer.mts"]],
  [
    "the types of Node",
    { module: "nodenext", lib: ["es2022"], ...nodeTypes() },
    ["consumer-on-node.mts"],
  ],
] as const;

for (const [what, options, files] of projects) {
  test(`the types hold under ${what}`, () => {
    const config = join(project, "tsconfig.json");
    writeFileSync(config, JSON.stringify({ compilerOptions: { ...strict, ...options }, files }));
    const tsc = join(root, "node_modules/.bin/tsc");
    try {
      execFileSync(tsc, ["-p", config], { encoding: "utf8", stdio: "pipe", timeout: 60_000 });
    } catch (error) {
      const output = error instanceof Error && "stdout" in error ? String(error.stdout) : "";
      assert.fail(`${output}${String(error)}`);
    }
  });
}

function nodeTypes() {
  return { types: ["node"], typeRoots: [join(root, "node_modules/@types")] };
}
