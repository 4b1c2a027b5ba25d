// How the recorded apps are started: one process of one SDK in one mode, on a free loopback port.
// It must not know what is asked of them.
import { spawn, type ChildProcess } from "node:child_process";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { serverOrigin } from "./normalise.ts";
import type { AppName } from "./plan.ts";

/**
 * - `dev`: no keys, talks to the recorder.
 * - `streaming`: like `dev`, answers calls with 201 and a late body.
 * - `cloud`: with keys, talks to the recorder.
 * - `signed`: with keys, told a fixed server address, so that signed bodies need no fixing.
 */
export type Mode = "dev" | "streaming" | "cloud" | "signed";

export const signingKey = "signkey-test-12345678";
export const eventKey = "key-for-events";

/** Where the toolchains of the other languages were installed; see README.md. */
const toolsFolder = process.env["PAWL_RECORD_TOOLS"] ?? "/tmp/pawl-record";
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const commands: Record<AppName, readonly [string, ...string[]]> = {
  python: [`${toolsFolder}/python/bin/python`, here("python/app.py")],
  go: [`${toolsFolder}/goapp`],
  js3: [process.execPath, here("js/app3.ts")],
  js4: [process.execPath, here("js/app4.ts")],
};

function environment(app: AppName, mode: Mode, recorder: string): Record<string, string> {
  if (mode === "dev" || mode === "streaming") {
    return { INNGEST_DEV: recorder, RECORD_STREAMING: mode === "streaming" ? "1" : "0" };
  }
  const server = mode === "cloud" ? recorder : serverOrigin;
  return {
    // Go takes any non-empty value, "0" included, for dev mode.
    ...(app === "go" ? {} : { INNGEST_DEV: "0" }),
    INNGEST_BASE_URL: server,
    INNGEST_SIGNING_KEY: signingKey,
    INNGEST_EVENT_KEY: eventKey,
    INNGEST_ENABLE_UNAUTHED_SYNC: "1",
  };
}

export interface RunningApp {
  readonly origin: string;
  stop(): Promise<void>;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}

async function answers(url: string, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (child.exitCode !== null) break;
    const up = await fetch(url).then(
      () => true,
      () => false,
    );
    if (up) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  child.kill("SIGKILL");
  throw new Error(`${url} did not come up`);
}

/** Starts an app and waits until it answers. `recorder` is the address it takes for the server. */
export async function startApp(app: AppName, mode: Mode, recorder: string): Promise<RunningApp> {
  const port = await freePort();
  const [command, ...args] = commands[app];
  const child = spawn(command, args, {
    env: {
      PATH: process.env["PATH"],
      PORT: String(port),
      PYTHONUNBUFFERED: "1",
      ...environment(app, mode, recorder),
    },
    stdio: ["ignore", "ignore", process.env["RECORD_VERBOSE"] ? "inherit" : "ignore"],
  });
  const origin = `http://127.0.0.1:${port}`;
  await answers(`${origin}/api/inngest`, child);
  return {
    origin,
    stop: () =>
      new Promise((resolve) => {
        child.once("exit", () => resolve());
        child.kill("SIGKILL");
      }),
  };
}
