// The opcodes with which an app answers a call or fills a checkpoint (protocol.md 2.5), as the
// engine sees them: one closed union, payloads as text. Reading them from the wire is the job of
// `opcode-wire.ts`; what they do to a run is the job of the engine.
import type { GatewayKind } from "./gateway-wire.ts";
import type { JsonText } from "./json-text.ts";
import type { OpcodeMetadata } from "./metadata-wire.ts";

interface OpcodeBase {
  /** Hashed step id: sha1 hex of the id given by the user, with `:n` appended for repeats. */
  readonly id: string;
  /** The name people see: display name, else the user's id, else the hash. */
  readonly displayName: string;
  /** The step id as the user wrote it, when the SDK told us. */
  readonly userId: string | null;
  /** Which repeat of that id this is; 0 for the first. */
  readonly userIndex: number;
  /** `opts.parallelMode: "race"`: a discovery follows each finished step of the group. */
  readonly race: boolean;
  /** `opts.type`: the kind of step a person reads about, for example `step.sendEvent`. */
  readonly stepType: string | null;
  /** `opts` as it arrived, for the people who look at the run; null when there were none. */
  readonly opts: JsonText | null;
  /** Retries of this step alone (`opts.retries`, sent by the `pawl` SDK); null: the function's. */
  readonly retries: number | null;
  /** What is to be kept about run or step for people; absent: nothing. */
  readonly metadata?: OpcodeMetadata;
}

/** A step ran and returned. `memo` is the exact value for the `steps` map, wrapper included. */
export interface StepRunOpcode extends OpcodeBase {
  readonly op: "StepRun";
  readonly memo: JsonText;
  /** When user code ran, in ms since the epoch, if the SDK measured it. */
  readonly startedAt: number | null;
  readonly endedAt: number | null;
}

/** One attempt of a step failed; the server decides about a retry. */
export interface StepErrorOpcode extends OpcodeBase {
  readonly op: "StepError";
  readonly error: JsonText;
  /** The SDK asked not to retry. */
  readonly noRetry: boolean;
}

/** A step failed and must not be tried again. */
export interface StepFailedOpcode extends OpcodeBase {
  readonly op: "StepFailed";
  readonly error: JsonText;
}

/** A step was found; the app wants a call that targets it. */
export interface StepPlannedOpcode extends OpcodeBase {
  readonly op: "StepPlanned";
}

export interface SleepOpcode extends OpcodeBase {
  readonly op: "Sleep";
  /** `at`: an absolute time in ms since the epoch; `for`: ms from the moment of the decision. */
  readonly until: { readonly at: number } | { readonly forMs: number };
}

export interface WaitForEventOpcode extends OpcodeBase {
  readonly op: "WaitForEvent";
  readonly event: string;
  /** CEL over `event` (the trigger) and `async` (the candidate); null matches every event. */
  readonly expression: string | null;
  readonly timeout: { readonly at: number } | { readonly forMs: number };
  /**
   * How far back events count that arrived before this wait was registered: null for not at all
   * (published SDKs), ms, or `"run"` for since the run was created (`pawl` SDK's default).
   */
  readonly lookback: number | "run" | null;
}

/** One of the events that a step waits for. */
export interface WaitBranch {
  /** Unique among the branches of the step; what the app calls this event. */
  readonly name: string;
  readonly event: string;
  /** As in `WaitForEventOpcode`. */
  readonly expression: string | null;
}

/** Waits for the first of several events, or for one of each (`pawl` SDK). */
export interface WaitForEventsOpcode extends OpcodeBase {
  readonly op: "WaitForEvents";
  readonly mode: "any" | "all";
  /** At least one; an event that fits several counts for the first, or in mode `all` for each. */
  readonly branches: readonly WaitBranch[];
  readonly timeout: { readonly at: number } | { readonly forMs: number };
  /** As in `WaitForEventOpcode`, for each branch. */
  readonly lookback: number | "run" | null;
}

export interface WaitForSignalOpcode extends OpcodeBase {
  readonly op: "WaitForSignal";
  readonly signal: string;
  readonly timeout: { readonly at: number } | { readonly forMs: number };
  /** What happens when somebody waits for the signal already: this run fails, or takes its place. */
  readonly onConflict: "fail" | "replace";
}

export interface InvokeFunctionOpcode extends OpcodeBase {
  readonly op: "InvokeFunction";
  /** Slug `<appId>-<functionId>`. */
  readonly functionSlug: string;
  /** `data` of the invocation event. */
  readonly data: JsonText;
  readonly user: JsonText | null;
  readonly version: string | null;
  readonly meta: JsonText | null;
  readonly timeout: { readonly at: number } | { readonly forMs: number } | null;
  /** What becomes of the invoked run when this one is cancelled (`pawl` SDK); null: not said. */
  readonly onCancel: "cancel" | "abandon" | null;
}

/** A request that the server performs itself: `step.fetch`, `step.ai.infer`. */
export interface GatewayOpcode extends OpcodeBase {
  readonly op: "Gateway";
  readonly kind: GatewayKind;
  /** The request by `writeGatewayRequest`, secrets included; `opts` has none. */
  readonly request: JsonText;
}

/** The function returned. `memo` is `{"data": …}` with the result, wrapper included. */
export interface RunCompleteOpcode extends OpcodeBase {
  readonly op: "RunComplete";
  readonly memo: JsonText;
}

/**
 * A function to be started when the run has ended (protocol.md 5.6). No step: nobody waits for it,
 * and no memo is kept of it.
 */
export interface DeferAddOpcode extends OpcodeBase {
  readonly op: "DeferAdd";
  /** Slug `<appId>-<functionId>`; empty when there was none. */
  readonly functionSlug: string;
  /** `data` of the event that starts it, as it arrived but for what only the server may set. */
  readonly input: JsonText;
  /** `meta` of that event, sessions settled. */
  readonly meta: JsonText | null;
  /** Why it cannot be started like this; null: nothing is wrong with it. */
  readonly problem: string | null;
}

/** A function that was deferred before is not to be started after all. */
export interface DeferAbortOpcode extends OpcodeBase {
  readonly op: "DeferAbort";
  /** The id of the `DeferAdd`. */
  readonly targetId: string;
}

/** The app stopped on its own (its maximum runtime) and wants to be called again. */
export interface DiscoveryRequestOpcode extends OpcodeBase {
  readonly op: "DiscoveryRequest";
}

/** The targeted step was not met. */
export interface StepNotFoundOpcode extends OpcodeBase {
  readonly op: "StepNotFound";
}

/** Nothing to do. */
export interface NoneOpcode extends OpcodeBase {
  readonly op: "None";
}

/** A known or unknown opcode that this server does not perform; the step fails and says so. */
export interface UnsupportedOpcode extends OpcodeBase {
  readonly op: "Unsupported";
  readonly wireOp: string;
}

export type Opcode =
  | StepRunOpcode
  | StepErrorOpcode
  | StepFailedOpcode
  | StepPlannedOpcode
  | SleepOpcode
  | WaitForEventOpcode
  | WaitForEventsOpcode
  | WaitForSignalOpcode
  | InvokeFunctionOpcode
  | GatewayOpcode
  | RunCompleteOpcode
  | DeferAddOpcode
  | DeferAbortOpcode
  | DiscoveryRequestOpcode
  | StepNotFoundOpcode
  | NoneOpcode
  | UnsupportedOpcode;

/** The fields that every opcode has. */
export type OpcodeFace = OpcodeBase;

const syncOps: ReadonlySet<string> = new Set<Opcode["op"]>([
  "StepRun",
  "StepFailed",
  "RunComplete",
  "DeferAdd",
  "DeferAbort",
]);

/** Opcodes that a checkpoint may carry (protocol.md 2.5, "sync"). */
export function isSyncOpcode(opcode: Opcode): boolean {
  return syncOps.has(opcode.op);
}
