// The vocabulary of the replay: what user code can ask for, and the opcodes that leave for the
// server (protocol.md 2.5). Plain data; no behaviour.
import type { JsonValue } from "@pawl/protocol/json-text";
import type { TypeNotes } from "../values/tags.ts";
import type { WireError } from "../values/wire-error.ts";
import type { StepPromise } from "./step-promise.ts";

interface RequestBase {
  /** The id as the function wrote it. */
  readonly id: string;
  /** What people read; the id unless the function named the step. */
  readonly name: string;
}

/** A step that runs code of the app. */
export interface RunRequest extends RequestBase {
  readonly kind: "run";
  /** The kind of step on the wire; null for `step.run`. */
  readonly type: string | null;
  /** Retries of this step alone; null: the function's. */
  readonly retries: number | null;
  readonly args: readonly unknown[];
  /** Runs the user's code; `hash` is the step's identity in the run. */
  readonly execute: (args: readonly unknown[], hash: string) => unknown;
}

/** A pause, until a moment in the form of the wire: a duration or a timestamp. */
export interface SleepRequest extends RequestBase {
  readonly kind: "sleep";
  readonly until: string;
}

export interface WaitRequest extends RequestBase {
  readonly kind: "wait";
  readonly event: string;
  readonly expression: string | null;
  readonly timeout: string;
  /** ms, `"run"` for since the run was created, null for not at all. */
  readonly lookback: number | "run" | null;
}

/** Waits for the first of several events, or for one of each. */
export interface WaitManyRequest extends RequestBase {
  readonly kind: "waitMany";
  readonly mode: "any" | "all";
  readonly branches: readonly {
    readonly name: string;
    readonly event: string;
    readonly expression: string | null;
  }[];
  readonly timeout: string;
  /** As in `WaitRequest`. */
  readonly lookback: number | "run" | null;
}

export interface SignalRequest extends RequestBase {
  readonly kind: "signal";
  readonly signal: string;
  readonly timeout: string;
  readonly conflict: "fail" | "replace";
}

export interface InvokeRequest extends RequestBase {
  readonly kind: "invoke";
  readonly functionSlug: string;
  readonly payload: { readonly [member: string]: JsonValue };
  readonly timeout: string | null;
  /** What becomes of the invoked run when this one is cancelled. */
  readonly onCancel: "cancel" | "abandon";
}

/** An HTTP request that the server performs. */
export interface GatewayRequest extends RequestBase {
  readonly kind: "gateway";
  readonly op: "Gateway" | "AIGateway";
  readonly opts: { readonly [option: string]: JsonValue };
  /** Makes what user code gets of what was recorded; it must give the same each time. */
  readonly revive: (recorded: JsonValue) => unknown;
}

/** One call of a step tool. */
export type StepRequest =
  | RunRequest
  | SleepRequest
  | WaitRequest
  | WaitManyRequest
  | SignalRequest
  | InvokeRequest
  | GatewayRequest;

/** A step that user code has reached in this call. */
export interface FoundStep {
  readonly hash: string;
  /** Which repeat of its id this is; 0 for the first. */
  readonly index: number;
  readonly request: StepRequest;
  readonly promise: StepPromise;
  /** What the server recorded for it. */
  readonly memo: Memo;
}

/** What a recorded value means for the step it belongs to (protocol.md 2.2). */
export type Memo =
  | { readonly kind: "none" }
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "error"; readonly error: Error }
  | { readonly kind: "input"; readonly args: readonly unknown[] };

/** An opcode on its way to the server. */
export interface WireOpcode {
  readonly id: string;
  readonly op:
    | "StepRun"
    | "StepError"
    | "StepFailed"
    | "StepPlanned"
    | "Sleep"
    | "WaitForEvent"
    | "WaitForEvents"
    | "WaitForSignal"
    | "InvokeFunction"
    | "Gateway"
    | "AIGateway"
    | "RunComplete"
    | "DiscoveryRequest"
    | "StepNotFound";
  readonly name?: string;
  readonly displayName?: string;
  readonly userland?: { readonly id: string; readonly index: number };
  readonly opts?: { readonly [option: string]: JsonValue };
  readonly data?: JsonValue;
  readonly types?: TypeNotes;
  readonly error?: WireError;
  readonly timing?: { readonly a: number; readonly b: number };
}
