// Runs one command in a process group of its own, for a bounded time, and leaves nothing of that
// group alive. It must not know what the command is for.
import { spawn } from "node:child_process";

/** Between the request to end and the end by force. */
const graceMs = 3_000;

export interface Ending {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly timedOut: boolean;
  /** Why it could not be started, or null. */
  readonly startError: string | null;
  readonly durationMs: number;
}

export interface BoundedCommand {
  readonly command: readonly [program: string, ...args: string[]];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly timeoutMs: number;
}

/** Never rejects: a command that cannot start is an ending too. */
export function runBounded({ command, cwd, env, timeoutMs }: BoundedCommand): Promise<Ending> {
  const startedAt = performance.now();
  const [program, ...args] = command;
  const child = spawn(program, args, {
    cwd,
    env,
    stdio: ["ignore", "inherit", "inherit"],
    detached: true,
  });
  const { promise, resolve } = Promise.withResolvers<Ending>();
  let timedOut = false;
  let force: NodeJS.Timeout | undefined;
  const stop = (): void => {
    signalGroup(child.pid, "SIGTERM");
    force ??= setTimeout(() => signalGroup(child.pid, "SIGKILL"), graceMs);
  };
  const limit = setTimeout(() => {
    timedOut = true;
    stop();
  }, timeoutMs);
  // In its own process group it does not get the terminal's Ctrl-C.
  const interrupt = (): void => {
    signalGroup(child.pid, "SIGKILL");
    process.exit(130);
  };
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  const end = (exitCode: number | null, startError: string | null): void => {
    clearTimeout(limit);
    clearTimeout(force);
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
    signalGroup(child.pid, "SIGKILL");
    resolve({ exitCode, timedOut, startError, durationMs: performance.now() - startedAt });
  };
  child.once("error", (error) => end(null, error.message));
  child.once("exit", (exitCode) => end(exitCode, null));
  return promise;
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The group has ended already.
  }
}
