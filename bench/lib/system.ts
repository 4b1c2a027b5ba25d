// A server and an app, each a process of its own as users run them, and the driver's ways to both.
// It must not know workloads.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Client } from "./client.ts";
import { Feed } from "./feed.ts";
import {
  cpuSeconds,
  folderBytes,
  freePort,
  machineSeconds,
  memoryBytes,
  startScript,
  type Running,
} from "./process.ts";

export const flavours = ["pawl", "inngest"] as const;
/** Which SDK the app is made with. */
export type Flavour = (typeof flavours)[number];

/** The command line as it is published; `run.ts` builds it. */
const cli = fileURLToPath(new URL("../../packages/cli/dist/npm/bin/pawl.js", import.meta.url));
const readyMs = 20_000;

/** CPU seconds so far: of the processes measured, and of all the machine. */
export interface CpuReading {
  readonly server: number;
  readonly app: number;
  readonly driver: number;
  readonly machine: number;
}

export class System {
  readonly client: Client;
  readonly feed: Feed;
  /** From the start of the server's process until it answered `GET /health`. */
  readonly coldStartMs: number;
  readonly #folder: string;
  readonly #server: Running;
  readonly #app: Running;

  private constructor(
    parts: Pick<System, "client" | "feed" | "coldStartMs">,
    processes: { readonly folder: string; readonly server: Running; readonly app: Running },
  ) {
    this.client = parts.client;
    this.feed = parts.feed;
    this.coldStartMs = parts.coldStartMs;
    this.#folder = processes.folder;
    this.#server = processes.server;
    this.#app = processes.app;
  }

  /** A fresh server, on an empty store unless a folder is given, and the app registered with it. */
  static async start(
    flavour: Flavour,
    { nodeFlags = noFlags, ...given }: StartOptions = {},
  ): Promise<System> {
    const port = await freePort();
    const origin = `http://127.0.0.1:${port}`;
    const script = fileURLToPath(new URL(`../apps/${flavour}.ts`, import.meta.url));
    const app = startScript(script, [], environment(origin), nodeFlags.app);
    const appUrl = await app.firstLine;
    const folder = given.folder ?? mkdtempSync(join(tmpdir(), "pawl-bench-"));
    const begin = performance.now();
    const server = startScript(cli, serverArgs(port, appUrl, folder), {}, nodeFlags.server);
    const client = new Client(origin);
    await until(async () => (await client.get("/health")) !== null, 2);
    const coldStartMs = performance.now() - begin;
    await until(async () => {
      const info = (await client.get("/dev")) as { readonly functions: readonly unknown[] } | null; // proof: its documented shape
      return info !== null && info.functions.length > 0;
    }, 20);
    const feed = await Feed.open(origin);
    return new System({ client, feed, coldStartMs }, { folder, server, app });
  }

  readCpu(): CpuReading {
    const { user, system } = process.cpuUsage();
    return {
      server: cpuSeconds(this.#server.pid),
      app: cpuSeconds(this.#app.pid),
      driver: (user + system) / 1e6,
      machine: machineSeconds(),
    };
  }

  memory(): { readonly server: number; readonly app: number } {
    return { server: memoryBytes(this.#server.pid), app: memoryBytes(this.#app.pid) };
  }

  diskBytes(): number {
    return folderBytes(this.#folder);
  }

  /** Ends both processes and removes the store, unless it is to be kept. */
  async stop({ keepStore = false } = {}): Promise<void> {
    await this.feed.close();
    await this.client.close();
    await Promise.all([this.#server.stop(), this.#app.stop()]);
    if (!keepStore) rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Flags of Node for the two processes, as a profiler needs them. */
export interface NodeFlags {
  readonly server: readonly string[];
  readonly app: readonly string[];
}

export interface StartOptions {
  readonly nodeFlags?: NodeFlags;
  /** Where the store is, or shall be. */
  readonly folder?: string;
}

const noFlags: NodeFlags = { server: [], app: [] };

/** Where the SDKs find the server, in the words of each. */
function environment(origin: string): Record<string, string> {
  return { PAWL_DEV: origin, INNGEST_DEV: origin, NODE_ENV: "production" };
}

function serverArgs(port: number, appUrl: string, folder: string): readonly string[] {
  const where = ["--port", String(port), "-u", appUrl, "--dir", folder];
  return ["dev", ...where, "--no-discovery", "--log-level", "warn"];
}

/** Asks again and again; throws after twenty seconds. */
async function until(done: () => Promise<boolean>, everyMs: number): Promise<void> {
  const end = performance.now() + readyMs;
  while (!(await done())) {
    if (performance.now() > end) throw new Error("the server did not become ready in time");
    await pause(everyMs);
  }
}
