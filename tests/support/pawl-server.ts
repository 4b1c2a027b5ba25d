// The server as its users start it: `pawl dev` or `pawl start` as a real process on a free port
// with a folder of its own. It must not know what a test does with it.
import { fileURLToPath } from "node:url";
import { Api } from "./api.ts";
import { Child, type Exit } from "./child.ts";
import { eventually, Hopeless } from "./poll.ts";
import { freePort } from "./ports.ts";
import { makeTempDir } from "./temp-dir.ts";

/** How to start a server. */
export interface ServerOptions {
  /** `dev` unless said; `start` needs `signingKey`. */
  readonly command?: "dev" | "start";
  /** URLs of apps. */
  readonly apps?: readonly string[];
  /** More flags, as on the command line. */
  readonly flags?: readonly string[];
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** The store's folder; a new one unless said. */
  readonly dir?: string;
  /** A free one unless said. */
  readonly port?: number;
  readonly signingKey?: string;
  /** With `start`; `test` unless said. */
  readonly eventKey?: string;
  readonly readyMs?: number;
}

const program = fileURLToPath(import.meta.resolve("pawl-cli/bin/pawl.js"));

export class PawlServer {
  readonly url: string;
  readonly port: number;
  readonly dir: string;
  readonly api: Api;
  readonly child: Child;
  readonly #options: ServerOptions;

  private constructor(child: Child, port: number, dir: string, options: ServerOptions) {
    this.child = child;
    this.port = port;
    this.dir = dir;
    this.url = `http://127.0.0.1:${String(port)}`;
    this.api = new Api(this.url, options.eventKey ?? "test", options.signingKey ?? null);
    this.#options = options;
  }

  /** Resolves when it answers `GET /health`. Rejects, with its output, when it does not. */
  static async start(options: ServerOptions = {}): Promise<PawlServer> {
    const port = options.port ?? (await freePort());
    const dir = options.dir ?? makeTempDir("server");
    const child = await Child.start({
      args: [program, ...flagsOf(options, port, dir)],
      cwd: dir,
      ...(options.environment === undefined ? null : { environment: options.environment }),
    });
    const server = new PawlServer(child, port, dir, options);
    try {
      await eventually("the server is healthy", () => server.#isHealthy(), {
        withinMs: options.readyMs ?? 20_000,
      });
    } catch (error) {
      await child.stop("SIGKILL");
      throw new Error(`${String(error)}\n${child.output}`, { cause: error });
    }
    return server;
  }

  /** What it printed. */
  get output(): string {
    return this.child.output;
  }

  /** Starts again on the same port and folder, once this process is gone. */
  async restart(): Promise<PawlServer> {
    await this.stop();
    return PawlServer.start({ ...this.#options, port: this.port, dir: this.dir });
  }

  /** Asks it to end; kills it when that takes longer than `withinMs`. */
  stop(signal: NodeJS.Signals = "SIGTERM", withinMs = 10_000): Promise<Exit> {
    return this.child.stop(signal, withinMs);
  }

  async #isHealthy(): Promise<boolean> {
    if (!this.child.isAlive) throw new Hopeless("the server has ended");
    return (await this.api.request("GET", "/health")).status === 200;
  }
}

function flagsOf(options: ServerOptions, port: number, dir: string): string[] {
  const { command = "dev", apps = [], flags = [], signingKey, eventKey = "test" } = options;
  return [
    command,
    "--port",
    String(port),
    "--dir",
    dir,
    ...apps.flatMap((url) => ["-u", url]),
    ...(command === "dev" && !flags.includes("--no-discovery") ? ["--no-discovery"] : []),
    ...(command === "start" ? ["--event-key", eventKey] : []),
    ...(signingKey === undefined ? [] : ["--signing-key", signingKey]),
    ...flags,
  ];
}
