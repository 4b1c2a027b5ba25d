// A program as a real process of its own: started, listened to, ended by its pid. None outlives
// the test process. It must not know which program it is.
import { fork, spawn, type ChildProcess } from "node:child_process";

/** What to start. */
export interface ChildOptions {
  /** Arguments of `process.execPath`. */
  readonly args: readonly string[];
  /** Variables on top of this process's; `undefined` takes one away. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Called for each message that the child sends with `process.send`; opens that channel. */
  readonly onMessage?: (message: unknown) => void;
}

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const outputCharsMax = 200_000;
const alive = new Set<ChildProcess>();
let willTidy = false;

export class Child {
  readonly pid: number;
  /** Resolves when the process is gone; never rejects. */
  readonly exited: Promise<Exit>;
  readonly #process: ChildProcess;
  #output = "";

  private constructor(child: ChildProcess, pid: number) {
    this.#process = child;
    this.pid = pid;
    this.exited = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        alive.delete(child);
        resolve({ code, signal });
      });
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#output = (this.#output + text).slice(-outputCharsMax);
      });
    }
  }

  /** Rejects when the process cannot be started. */
  static async start(options: ChildOptions): Promise<Child> {
    const child = launch(options);
    tidyAtExit();
    alive.add(child);
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
    if (child.pid === undefined) throw new Error("the process has no pid");
    return new Child(child, child.pid);
  }

  /** What it printed on both streams: the last 200,000 characters. */
  get output(): string {
    return this.#output;
  }

  get isAlive(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** Sends a message to a child that was started with `onMessage`. */
  send(message: object): void {
    this.#process.send(message);
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** Asks it to end with `signal`; kills it when it has not ended after `withinMs`. */
  async stop(signal: NodeJS.Signals = "SIGTERM", withinMs = 5_000): Promise<Exit> {
    if (this.isAlive) this.kill(signal);
    const hardEnd = setTimeout(() => this.kill("SIGKILL"), withinMs);
    try {
      return await this.exited;
    } finally {
      clearTimeout(hardEnd);
    }
  }
}

function launch({ args, environment = {}, cwd, onMessage }: ChildOptions): ChildProcess {
  const env = { ...process.env, ...environment };
  // A test process tells its children so, and a runner among them would print in its tongue.
  delete env["NODE_TEST_CONTEXT"];
  const where = cwd === undefined ? {} : { cwd };
  if (onMessage === undefined) {
    return spawn(process.execPath, [...args], { env, ...where, stdio: ["ignore", "pipe", "pipe"] });
  }
  const [program = "", ...rest] = args;
  const child = fork(program, rest, {
    env,
    ...where,
    execArgv: [],
    silent: true,
    // Values of all kinds, not only what JSON knows.
    serialization: "advanced",
  });
  child.on("message", onMessage);
  return child;
}

function tidyAtExit(): void {
  if (willTidy) return;
  willTidy = true;
  process.once("exit", () => {
    for (const child of alive) child.kill("SIGKILL");
  });
}
