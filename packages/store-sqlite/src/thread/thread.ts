// A worker thread that answers requests one after another, seen from the main thread. It must not
// know what is asked.
import { Worker } from "node:worker_threads";
import { StoreError } from "@pawl/store/store-error";
import type { SqliteSettings } from "../options.ts";
import type { Envelope, ThreadReply } from "./messages.ts";

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: StoreError) => void;
}

/** Room for objects that have just been made, MiB. */
const youngMebibytes = 8;

export class Thread<R> {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 0;
  /** Set when the thread is gone and can answer nothing more. */
  #end: StoreError | null = null;

  /** `name` is that of the module beside this file, without its extension. */
  constructor(name: "writer-thread" | "list-thread", settings: SqliteSettings) {
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    this.#worker = new Worker(new URL(`./${name}.${extension}`, import.meta.url), {
      workerData: settings,
      // Options of this process may not suit another module, as `--input-type` and `--eval` do not.
      execArgv: [],
      name: `pawl ${name}`,
      // What a request brings is garbage right after its answer: more room only costs memory.
      resourceLimits: { maxYoungGenerationSizeMb: youngMebibytes },
    });
    // Only work under way keeps the process alive.
    this.#worker.unref();
    this.#worker.on("message", (reply: ThreadReply) => this.#settle(reply));
    this.#worker.on("error", (error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      this.#fail(`The thread for the database ${settings.path} failed: ${reason}.`, error);
    });
    this.#worker.on("exit", () => {
      this.#fail(`The thread for the database ${settings.path} has ended.`);
    });
  }

  /** Sends the request and resolves with the answer, or rejects with the thread's `StoreError`. */
  async ask(request: R): Promise<unknown> {
    if (this.#end !== null) throw this.#end;
    const id = this.#nextId++;
    const envelope: Envelope<R> = { id, request };
    return new Promise((resolve, reject) => {
      this.#worker.postMessage(envelope);
      if (this.#waiting.size === 0) this.#worker.ref();
      this.#waiting.set(id, { resolve, reject });
    });
  }

  /** Ends the thread at once. Ask it to close first. */
  async stop(): Promise<void> {
    await this.#worker.terminate();
  }

  #settle(reply: ThreadReply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (this.#waiting.size === 0) this.#worker.unref();
    if (reply.ok) waiting?.resolve(reply.value);
    else waiting?.reject(new StoreError(reply.code, reply.message));
  }

  #fail(message: string, cause?: unknown): void {
    this.#end ??= new StoreError("store_failed", message, { cause });
    for (const { reject } of this.#waiting.values()) reject(this.#end);
    this.#waiting.clear();
  }
}
