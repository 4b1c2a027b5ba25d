// Judges the calls that leave a process: each once, behind the commit of its lease, with what was
// recorded then, within the limit of its app, and none of them a second time while the first is
// waited for. It must not know what an answer brings.
import type { Change } from "@pawl/engine/changes";
import { dispatchId } from "@pawl/protocol/dispatch-id";
import type { Call } from "@pawl/server/driver/driver";
import { readRequest } from "../app/request.ts";
import { textOf, type Mirror } from "./mirror.ts";
import type { Accuse } from "./violation.ts";

export class CallJudge {
  readonly #mirror: Mirror;
  readonly #callsPerAppMax: number;
  readonly #accuse: Accuse;
  readonly #sent = new Set<string>();

  constructor(mirror: Mirror, callsPerAppMax: number, accuse: Accuse) {
    this.#mirror = mirror;
    this.#callsPerAppMax = callsPerAppMax;
    this.#accuse = accuse;
  }

  /** A call leaves a process, which has the others under way; `known`: its steps when it was leased. */
  sent(call: Call, underWay: Iterable<Call>, known: string | undefined): void {
    const name = `call ${call.jobId} of run ${call.runId}, generation ${call.generation}`;
    if (this.#sent.has(call.requestId)) this.#accuse("dispatch-repeated", `${name} went out twice`);
    this.#sent.add(call.requestId);
    if (known === undefined)
      this.#accuse("sent-uncommitted", `${name} went out, but its lease is not stored`);
    else if (call.gateway === null) this.#checkMemos(call, known);
    const others = this.#countShared(call, underWay);
    if (others >= this.#callsPerAppMax)
      this.#accuse("gate-exceeded", `${name} went out beside ${others} others`);
    const run = this.#mirror.runs.get(call.runId);
    if (run !== undefined && run.endedIn !== null && run.endedIn < this.#mirror.commits)
      this.#accuse("ended-run-called", `${name} went out after its end`);
  }

  #checkMemos(call: Call, known: string): void {
    const memos = textOf(readRequest(call).memos);
    if (memos === known) return;
    const name = `call ${call.jobId} of run ${call.runId}`;
    this.#accuse("request-wrong", `${name} was sent with ${memos}; recorded were ${known}`);
  }

  /** Calls that share a limit with this one: those of its app, or those of the server itself. */
  #countShared({ appId, gateway }: Call, calls: Iterable<Call>): number {
    let count = 0;
    for (const call of calls) {
      const isShared =
        gateway === null ? call.gateway === null && call.appId === appId : call.gateway !== null;
      if (isShared) count++;
    }
    return count;
  }

  /**
   * A batch was written by a process that has these calls under way: one whose answer is waited for
   * is no lost one. `ranTwice`: an app that has the wrong value of a step is called again.
   */
  handedOut(
    changes: readonly Change[],
    underWay: Iterable<Call>,
    ranTwice: (runId: string) => boolean,
  ): void {
    const held = new Map([...underWay].map((call) => [`${call.runId}/${call.jobId}`, call]));
    for (const change of changes) {
      if (change.type !== "job.put" || change.job.kind !== "call") continue;
      const { runId, id, generation } = change.job;
      const call = held.get(`${runId}/${id}`);
      if (call !== undefined && call.generation < generation && !ranTwice(runId))
        this.#accuse(
          "called-twice",
          `call ${id} of run ${runId} is handed out again while generation ${call.generation} is under way`,
        );
    }
  }

  /** Whether the server still counts on a dispatch, by what is stored. */
  isCurrent({ runId, jobId, requestId }: Pick<Call, "runId" | "jobId" | "requestId">): boolean {
    const job = this.#mirror.runs.get(runId)?.jobs.get(jobId);
    return (
      job?.kind === "call" &&
      job.state.at === "leased" &&
      dispatchId(runId, jobId, job.generation) === requestId
    );
  }

  /** The server took a message of a dispatch as good; `wasCurrent`: when it was sent. */
  believed(requestId: string, wasCurrent: boolean): void {
    if (!wasCurrent)
      this.#accuse(
        "stale-accepted",
        `dispatch ${requestId} was believed although it had been replaced`,
      );
  }
}
