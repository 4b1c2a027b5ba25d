// Reads the body of a call as an app does (protocol.md 2.1).
import type { Call } from "@pawl/server/driver/driver";

export interface AppRequest {
  readonly runId: string;
  /** What the app names in its checkpoints. */
  readonly jobId: string;
  readonly requestId: string;
  /** `step`, or the hashed id of the one step to run. */
  readonly target: string;
  readonly slug: string;
  readonly attempt: number;
  readonly attemptsMax: number;
  readonly immediate: boolean;
  /** JSON text by hashed id, in order of completion. */
  readonly memos: Map<string, string>;
  /** What the server knows to be deferred, and whether it may be aborted. */
  readonly defers: ReadonlyMap<string, boolean>;
}

interface Body {
  readonly steps: Record<string, unknown>;
  readonly defers: Record<string, { readonly abortable: boolean }>;
  readonly ctx: {
    readonly run_id: string;
    readonly step_id: string;
    readonly qi_id: string;
    readonly request_id: string;
    readonly attempt: number;
    readonly max_attempts: number;
    readonly disable_immediate_execution: boolean;
  };
}

export function readRequest(call: Call): AppRequest {
  const { steps, defers, ctx } = JSON.parse(call.body) as Body; // proof: the server writes it so (call-wire.ts)
  return {
    runId: ctx.run_id,
    jobId: ctx.qi_id,
    requestId: ctx.request_id,
    target: ctx.step_id,
    slug: new URL(call.url).searchParams.get("fnId") ?? "",
    attempt: ctx.attempt,
    attemptsMax: ctx.max_attempts,
    immediate: !ctx.disable_immediate_execution,
    memos: new Map(Object.entries(steps).map(([id, memo]) => [id, JSON.stringify(memo)])),
    defers: new Map(Object.entries(defers).map(([id, { abortable }]) => [id, abortable])),
  };
}
