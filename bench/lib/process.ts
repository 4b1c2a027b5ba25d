// Child processes, and what /proc tells about them and about the machine. Linux only. It must not
// know what the processes are.
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";

const ticksPerSecond = Number(execFileSync("getconf", ["CLK_TCK"]).toString());
const live = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of live) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

/** A program of ours, run by this very Node. */
export interface Running {
  readonly pid: number;
  /** The first line it prints; rejects when it ends before. */
  readonly firstLine: Promise<string>;
  /** Asks it to end, and ends it after ten seconds. */
  stop(): Promise<void>;
}

/** Starts a script with arguments. What it prints to standard error is shown. */
export function startScript(
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  nodeFlags: readonly string[] = [],
): Running {
  const child = spawn(process.execPath, [...nodeFlags, script, ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const { pid, stdout } = child;
  if (pid === undefined) throw new Error(`${script} could not be started`);
  live.add(child);
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => {
      live.delete(child);
      resolve();
    });
  });
  const firstLine = new Promise<string>((resolve, reject) => {
    createInterface(stdout).on("line", resolve);
    void ended.then(() => reject(new Error(`${script} ended before it said anything`)));
  });
  firstLine.catch(() => undefined); // whoever wants it awaits it
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    const waited = new AbortController();
    const late = pause(10_000, undefined, { signal: waited.signal }).then(
      () => child.kill("SIGKILL"),
      () => undefined,
    );
    await Promise.race([ended, late]);
    waited.abort();
    await ended;
  };
  return { pid, firstLine, stop };
}

/** User and system CPU seconds of a process so far, all its threads. */
export function cpuSeconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Bytes of memory that are a process's own, shared pages counted in part (PSS). */
export function memoryBytes(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1]) * 1_024;
}

/** Busy CPU seconds of the whole machine so far. */
export function machineSeconds(): number {
  const [line = ""] = readFileSync("/proc/stat", "utf8").split("\n");
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = line
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softirq) / ticksPerSecond;
}

/** Lengths of all files in a folder and below. */
export function folderBytes(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name)).size;
  }
  return bytes;
}

/** A port that is free on loopback now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // proof: it listens on TCP
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
