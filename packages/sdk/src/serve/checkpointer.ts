// Saves finished steps while user code goes on (protocol.md 6.2). Keeps what the server does not
// have, so that the answer of the call can carry it.
import type { Connection } from "../client/connection.ts";
import { durationMs } from "../durations.ts";
import type { CheckpointOptions } from "../functions/options.ts";
import type { Checkpoints } from "../replay/conductor.ts";
import type { WireOpcode } from "../replay/step.ts";
import type { CallRequest } from "./call-request.ts";
import { requestApi } from "./server-api.ts";

/** Tries of one checkpoint after the first. */
const retriesMax = 5;
const backoffBaseMs = 100;
const maxRuntimeDefaultMs = 10_000;

/** See the head of this file. */
export class Checkpointer implements Checkpoints {
  readonly #connection: Connection;
  readonly #call: CallRequest;
  readonly #startedAt: number;
  readonly #bufferedSteps: number;
  readonly #maxIntervalMs: number;
  readonly #maxRuntimeMs: number;
  #unsaved: WireOpcode[] = [];
  #savedAt: number;

  constructor(connection: Connection, call: CallRequest, options: CheckpointOptions) {
    this.#connection = connection;
    this.#call = call;
    this.#startedAt = connection.runtime.now();
    this.#savedAt = this.#startedAt;
    this.#bufferedSteps = options.bufferedSteps ?? 1;
    this.#maxIntervalMs = durationMs(options.maxInterval ?? 0, "maxInterval");
    this.#maxRuntimeMs = durationMs(options.maxRuntime ?? maxRuntimeDefaultMs, "maxRuntime");
  }

  async add(opcode: WireOpcode): Promise<"saved" | "stale" | "failed"> {
    this.#unsaved.push(opcode);
    const now = this.#connection.runtime.now();
    const overdue = this.#maxIntervalMs > 0 && now - this.#savedAt >= this.#maxIntervalMs;
    if (this.#unsaved.length < this.#bufferedSteps && !overdue) return "saved";
    return this.flush();
  }

  unsaved(): readonly WireOpcode[] {
    return this.#unsaved;
  }

  expired(): boolean {
    if (this.#maxRuntimeMs === 0) return false;
    return this.#connection.runtime.now() - this.#startedAt >= this.#maxRuntimeMs;
  }

  /** Brings everything unsaved to the server. */
  async flush(): Promise<"saved" | "stale" | "failed"> {
    if (this.#unsaved.length === 0) return "saved";
    const path = `/v1/checkpoint/${encodeURIComponent(this.#call.runId)}/async`;
    const body = this.#body();
    for (let attempt = 0; attempt <= retriesMax; attempt += 1) {
      if (attempt > 0) await this.#connection.runtime.sleep(backoffBaseMs * 2 ** (attempt - 1));
      const status = await this.#post(path, body);
      if (status === 409) return "stale";
      if (status !== null && status >= 200 && status < 300) {
        this.#unsaved = [];
        this.#savedAt = this.#connection.runtime.now();
        return "saved";
      }
    }
    return "failed";
  }

  #body(): string {
    const { runId, functionUuid, qiId, requestId, generation } = this.#call;
    return JSON.stringify({
      run_id: runId,
      fn_id: functionUuid,
      qi_id: qiId,
      ...(requestId === null ? {} : { request_id: requestId }),
      ...(generation === null ? {} : { generation_id: generation }),
      request_started_at: this.#startedAt,
      steps: this.#unsaved,
      ts: this.#connection.runtime.now(),
    });
  }

  async #post(path: string, body: string): Promise<number | null> {
    try {
      const { status } = await requestApi(this.#connection, "POST", path, body);
      return status;
    } catch {
      return null;
    }
  }
}
