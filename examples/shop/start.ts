// `npm start`: the server on its embedded store, the shop beside it, sample events, and a live
// timeline of every run; then one line that counts, and the server goes on serving.
import { spawn, type ChildProcess } from "node:child_process";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { Timeline, type FeedLine } from "./timeline.ts";

const usualPort = 8288;
const readyMs = 20_000;
const runsMs = 60_000;

const [major = 0] = process.versions.node.split(".").map(Number);
if (major < 24) {
  console.error(
    `Pawl needs Node 24 or newer; this is ${process.version}. "npm ci" brings it along: run "npm start".`,
  );
  process.exit(1);
}

const port = await freePort(Number(process.env["PAWL_PORT"] ?? usualPort));
const serverUrl = `http://localhost:${port}`;
process.env["PAWL_DEV"] = "1";
process.env["PAWL_BASE_URL"] = serverUrl;
// The client of the shop reads the environment when it is made, so the shop comes in only now.
const { startShop } = await import("./app.ts");
const { sendSampleEvents } = await import("./sample-events.ts");
const shop = await startShop(0);
const server = startServer(port, shop.url);
await ready(server);

const screen = process.stdout.isTTY ? () => process.stdout.rows : null;
const timeline = new Timeline(screen, (text) => process.stdout.write(text));
console.log(
  `Pawl serves on ${serverUrl}; the shop's functions are at ${shop.url}. Sending sample events.`,
);
const feed = await follow(timeline);
const expected = await sendSampleEvents();
await until(() => total(timeline) >= expected, runsMs, "the runs did not end");

timeline.finish();
const ended = [...timeline.ended()].map(([state, count]) => `${count} ${state}`).join(", ");
console.log(
  `\nDone: ${total(timeline)} runs ended (${ended}). Pawl listens on ${serverUrl} and goes on serving; press Ctrl-C to stop.`,
);
feed.resume();

function total(of: Timeline): number {
  return [...of.ended().values()].reduce((sum, count) => sum + count, 0);
}

/** The server as its users start it: its own process, on the embedded store in `.pawl/`. */
function startServer(onPort: number, appUrl: string): ChildProcess {
  const cli = fileURLToPath(import.meta.resolve("pawl-cli/bin/pawl.js"));
  const flags = [
    "dev",
    "--port",
    String(onPort),
    "-u",
    appUrl,
    "--no-discovery",
    "--log-level",
    "warn",
  ];
  const child = spawn(process.execPath, [cli, ...flags], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  const stop = (): void => {
    child.kill("SIGTERM");
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  child.once("exit", (code, signal) => {
    if (signal !== null)
      console.error(
        `The server was ended by ${signal}. What it had accepted is in .pawl: npm start goes on from there.`,
      );
    process.exit(code ?? 1);
  });
  return child;
}

/** Resolves when the server has answered and knows the shop's functions. */
async function ready(child: ChildProcess): Promise<void> {
  await until(
    async () => {
      if (child.exitCode !== null) return false;
      const info = (await (await fetch(`${serverUrl}/dev`)).json()) as { functions?: unknown[] }; // proof: the documented shape
      return (info.functions?.length ?? 0) > 0;
    },
    readyMs,
    "the server did not start",
  );
}

/** Reads the live feed into the timeline, from now on. */
async function follow(into: Timeline): Promise<Readable> {
  const { body } = await fetch(`${serverUrl}/dev/timeline`);
  if (body === null) throw new Error("the server sends no timeline");
  const stream = Readable.fromWeb(body);
  // The feed ends with the server, and what became of that is told when its process is gone.
  stream.on("error", () => undefined);
  createInterface(stream)
    .on("error", () => undefined)
    .on("line", (line) => {
      if (line.trim() !== "") into.add(JSON.parse(line) as FeedLine); // proof: the feed's documented lines
    });
  return stream;
}

async function until(
  done: () => boolean | Promise<boolean>,
  ms: number,
  failure: string,
): Promise<void> {
  const end = performance.now() + ms;
  while (performance.now() < end) {
    try {
      if (await done()) return;
    } catch {
      // not there yet
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  console.error(`Sorry: ${failure} within ${ms / 1_000} s. See the messages above.`);
  server.kill("SIGTERM");
  process.exit(1);
}

/** The port, or a free one when something listens there already. */
async function freePort(wanted: number): Promise<number> {
  if (await canListen(wanted)) return wanted;
  for (let next = wanted + 1; next < wanted + 100; next++) {
    if (!(await canListen(next))) continue;
    console.log(`Port ${wanted} is taken, so Pawl uses ${next}. Set PAWL_PORT to choose another.`);
    return next;
  }
  throw new Error(`no free port between ${wanted} and ${wanted + 100}`);
}

function canListen(candidate: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(candidate, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}
