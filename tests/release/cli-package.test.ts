// The package `pawl-cli` as its users get it: packed, installed from the registry with everything
// it needs, beside the packed `pawl`; the server runs an app's function to its end and stops.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { buildCli } from "../../scripts/build/cli.ts";
import { buildSdk } from "../../scripts/build/sdk.ts";
import { Api } from "../support/api.ts";
import { Child } from "../support/child.ts";
import { eventually } from "../support/poll.ts";
import { freePort } from "../support/ports.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import { environmentOf, nodesOnThisMachine, pack } from "./packed.ts";

const project = makeTempDir("cli-package");
const command = join(project, "node_modules/.bin/pawl");
const program = join(project, "node_modules/pawl-cli/bin/pawl.js");

/** Codes with which npm ends when it is the network that is missing. */
const offline =
  /\b(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED)\b/;

test("the packed command, installed from the registry", async (context) => {
  if (!(await install(context))) return;

  await context.test("tells its version", () => {
    const options = { encoding: "utf8", env: environmentOf(process.execPath) } as const;
    assert.match(execFileSync(command, ["--version"], options), /^\d+\.\d+\.\d+\n$/);
    assert.match(execFileSync(command, ["help", "dev"], options), /--port/);
  });

  await context.test("runs an app on the packed SDK to the end, keeps it, and stops", runsAnApp);

  for (const { major, path } of nodesOnThisMachine().filter(({ major }) => major < 24)) {
    await context.test(`says on Node ${major} what it needs`, () => {
      const run = spawnSync(path, [program, "--version"], { encoding: "utf8" });
      assert.equal(run.status, 1);
      assert.match(run.stderr, /^pawl needs Node 24 or newer; this is Node \d+/);
    });
  }
});

/** False when the registry cannot be reached, which is nobody's fault here. */
async function install(context: TestContext): Promise<boolean> {
  const built = [
    await buildSdk(join(project, "built/sdk")),
    await buildCli(join(project, "built/cli")),
  ];
  const tarballs = built.map(({ folder }) => pack(folder, project));
  writeFileSync(join(project, "package.json"), '{ "name": "consumer", "private": true }\n');
  cpSync(join(import.meta.dirname, "fixtures/app.mjs"), join(project, "app.mjs"));
  const flags = ["--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"];
  const run = spawnSync("npm", ["install", ...flags, ...tarballs], {
    cwd: project,
    encoding: "utf8",
    timeout: 120_000,
    env: environmentOf(process.execPath),
  });
  if (run.status !== 0 && offline.test(run.stderr)) {
    context.skip(`the registry cannot be reached: ${offline.exec(run.stderr)?.[0]}`);
    return false;
  }
  assert.equal(run.status, 0, run.stderr);
  return true;
}

async function runsAnApp(): Promise<void> {
  const url = `http://127.0.0.1:${await freePort()}`;
  const app = await Child.start({ args: [join(project, "app.mjs"), url], cwd: project });
  const appPort = await eventually("the app listens", () => /^port (\d+)$/m.exec(app.output)?.[1]);
  const appUrl = `http://127.0.0.1:${appPort}/api/pawl`;
  const flags = ["--port", new URL(url).port, "--no-discovery", "--sdk-url", appUrl];
  const server = await Child.start({ args: [program, "dev", ...flags], cwd: project });
  try {
    const api = new Api(url);
    await eventually("the server is healthy", async () => (await fetch(`${url}/health`)).ok);
    await eventually("the app is known", async () => {
      const { body } = await api.request("GET", "/dev");
      return JSON.stringify(body).includes("shop-greet");
    });
    const run = await api.runOf({ name: "greet", data: { name: "ada" } });
    assert.deepEqual([run.status, run.output], ["Completed", "ADA 1970-01-01T00:00:00.000Z"]);
    const params = { name: "list_docs", arguments: {} };
    const rpc = { jsonrpc: "2.0", id: 1, method: "tools/call", params };
    const { body: listed } = await api.request("POST", "/mcp", rpc);
    assert.match(JSON.stringify(listed), /getting-started\.md/);
  } catch (error) {
    throw new Error(`${String(error)}\n${server.output}\n${app.output}`, { cause: error });
  } finally {
    await app.stop();
    assert.equal((await server.stop()).code, 0, server.output);
  }
  const doctor = spawnSync(process.execPath, [program, "doctor"], {
    cwd: project,
    encoding: "utf8",
  });
  assert.equal(doctor.status, 0, doctor.stdout + doctor.stderr);
}
