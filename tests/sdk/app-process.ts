// An app in a process of its own, seen from the test: where it serves, what its functions noted,
// which calls it answered.
import { fileURLToPath } from "node:url";
import { Child } from "../support/child.ts";
import { eventually, Hopeless } from "../support/poll.ts";
import type { AppSettings, CallNote, FromApp } from "./app/messages.ts";

const program = fileURLToPath(new URL("app/main.ts", import.meta.url));

export class AppProcess {
  /** Where it serves its functions. */
  readonly url: string;
  readonly child: Child;
  readonly #log: FromApp[];
  #turn = 0;

  private constructor(child: Child, url: string, log: FromApp[]) {
    this.child = child;
    this.url = url;
    this.#log = log;
  }

  /** Resolves when it serves. */
  static async start(
    settings: Pick<AppSettings, "flavour" | "serverUrl"> & Partial<AppSettings>,
  ): Promise<AppProcess> {
    const all: AppSettings = {
      appId: "app",
      functions: "scenarios",
      keys: null,
      streaming: false,
      port: 0,
      ...settings,
    };
    const log: FromApp[] = [];
    const child = await Child.start({
      args: [program],
      // What a developer's shell says must not reach the SDKs.
      environment: { ...clean, SDK_APP: JSON.stringify(all), NODE_ENV: "test" },
      onMessage: (message) => {
        log.push(message as FromApp); // proof: sent by app/main.ts
      },
    });
    const isReady = (): string | null => log.find((entry) => entry.type === "ready")?.url ?? null;
    try {
      const url = await eventually("the app serves", () => {
        if (!child.isAlive) throw new Hopeless("the app has ended");
        return isReady();
      });
      return new AppProcess(child, url, log);
    } catch (error) {
      await child.stop("SIGKILL");
      throw new Error(`${String(error)}\n${child.output}`, { cause: error });
    }
  }

  /** What its functions noted under the key so far, in order. */
  async notes(key: string): Promise<unknown[]> {
    await this.#flush();
    return this.#log.flatMap((entry) =>
      entry.type === "note" && entry.key === key ? [entry.value] : [],
    );
  }

  /** The calls of that function that it answered so far. The id is the composite `<app>-<fn>`. */
  async calls(functionId: string): Promise<CallNote[]> {
    await this.#flush();
    return this.#log.filter(
      (entry): entry is CallNote => entry.type === "call" && entry.functionId === functionId,
    );
  }

  /** Sends an event with the SDK's client; resolves with what that said. */
  async send(name: string): Promise<unknown> {
    this.#turn += 1;
    const key = `sent ${String(this.#turn)}`;
    this.child.send({ type: "send", name, key });
    const [said] = await eventually("the client has sent", async () => {
      const notes = await this.notes(key);
      return notes.length > 0 && notes;
    });
    return said;
  }

  async stop(): Promise<void> {
    await this.child.stop("SIGKILL");
  }

  async #flush(): Promise<void> {
    this.#turn += 1;
    const turn = this.#turn;
    this.child.send({ type: "flush", turn });
    await eventually(
      "the app has told everything",
      () => this.#log.some((entry) => entry.type === "flushed" && entry.turn === turn),
      { everyMs: 2 },
    );
  }
}

const clean = Object.fromEntries(
  Object.keys(process.env)
    .filter((name) => /^(INNGEST|PAWL)_/.test(name))
    .map((name) => [name, undefined]),
);
