// A job as a row of `job`. Columns that its kind does not have are null or 0. `subject` is the event,
// function, signal or mode that it is about, `expression` its condition: CEL, or branches as JSON. The
// request of a gateway call is a row of its own (migration 010 tells why).
import type { SQLInputValue, SQLOutputValue } from "node:sqlite";
import type { CallState, GatewayCall, Job, WaitJobBranch } from "@pawl/engine/records";
import { shardOf } from "@pawl/engine/shard";
import type { JsonText } from "@pawl/protocol/json-text";
import {
  numberOf,
  numberOrNull,
  packHash,
  packUlid,
  textOf,
  textOrNull,
  unpackHash,
  unpackUlid,
} from "../codec.ts";
import type { PackedId } from "../codec.ts";

const columns = [
  "id",
  "kind",
  "timer_at",
  "gate",
  "queued_since",
  "epoch",
  "lease_until",
  "generation",
  "attempt",
  "attempts_max",
  "flags",
  "queued_at",
  "target",
  "display_name",
  "user_id",
  "user_index",
  "step_type",
  "subject",
  "expression",
  "child_run",
  "opts",
  "kept_epoch",
  "kept_gates",
  "input",
].join(", ");

/** Takes the values of `encodeJob`. */
export const jobInsert = `INSERT OR REPLACE INTO job (run, shard, ${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/** Rows for `decodeJob`. */
export const jobsOfRun = `SELECT ${columns}, CASE WHEN flags & 8 THEN (SELECT request FROM gateway_request AS g WHERE g.run = job.run AND g.job = job.id) END FROM job WHERE run = ? ORDER BY id`;

/** Takes run, job and `encodeRequest`. A request never changes. */
export const requestInsert =
  "INSERT OR IGNORE INTO gateway_request (run, job, request) VALUES (?, ?, ?)";

const kinds: readonly Job["kind"][] = [
  "call",
  "sleep",
  "wait",
  "invoke",
  "deadline",
  "signal",
  "waitMany",
];
const parallelFlag = 1;
const raceFlag = 2;
const againFlag = 4;
/** The schema knows it, too: see `gateway_request_ends`. */
const gatewayFlag = 8;

const utf8 = { encoder: new TextEncoder(), decoder: new TextDecoder() };

/** The request of a gateway call, as bytes. */
export function encodeRequest({ kind, request }: GatewayCall): Uint8Array {
  return utf8.encoder.encode(`${kind} ${request}`);
}

function decodeRequest(value: SQLOutputValue | undefined): GatewayCall | null {
  if (!(value instanceof Uint8Array)) return null;
  const text = utf8.decoder.decode(value);
  const space = text.indexOf(" ");
  return {
    kind: text.slice(0, space) === "infer" ? "infer" : "fetch",
    request: text.slice(space + 1) as JsonText, // proof: written from a JsonText
  };
}

/** The values of one row. */
export function encodeJob(run: PackedId, job: Job): SQLInputValue[] {
  const call = job.kind === "call" ? job : null;
  const state = call?.state ?? null;
  const kept = state?.at === "queued" ? state.kept : null;
  return [
    run,
    shardOf(job.runId),
    packHash(job.id),
    kinds.indexOf(job.kind),
    job.kind !== "call" ? job.dueAt : job.state.at === "delayed" ? job.state.dueAt : null,
    state?.at === "queued" ? state.gate : null,
    state?.at === "queued" ? state.since : null,
    state?.at === "leased" ? state.epoch : null,
    state?.at === "leased" ? state.leaseUntil : null,
    call?.generation ?? 0,
    call?.attempt ?? 0,
    call?.attemptsMax ?? 0,
    flagsOf(job),
    job.queuedAt,
    call === null ? null : packHash(call.target),
    job.displayName,
    job.userId,
    job.userIndex,
    job.stepType,
    subjectOf(job),
    job.kind === "wait"
      ? job.expression
      : job.kind === "waitMany"
        ? JSON.stringify(job.branches)
        : null,
    job.kind === "invoke" ? packUlid(job.childRunId) : null,
    job.opts,
    kept?.epoch ?? null,
    kept?.gates ?? null,
    call?.input ?? null,
  ];
}

function subjectOf(job: Job): string | null {
  switch (job.kind) {
    case "wait":
      return job.event;
    case "waitMany":
      return job.mode;
    case "signal":
      return job.signal;
    case "invoke":
      return job.functionSlug;
    default:
      return null;
  }
}

function flagsOf(job: Job): number {
  return (
    (job.parallel ? parallelFlag : 0) |
    (job.race ? raceFlag : 0) |
    (job.kind === "call" && job.again ? againFlag : 0) |
    (job.kind === "call" && job.gateway !== null ? gatewayFlag : 0)
  );
}

/** The record of one row. */
export function decodeJob(runId: string, row: readonly SQLOutputValue[]): Job {
  const flags = numberOf(row[10]);
  const base = {
    runId,
    id: unpackHash(row[0]),
    parallel: (flags & parallelFlag) !== 0,
    race: (flags & raceFlag) !== 0,
    queuedAt: numberOf(row[11]),
    displayName: textOf(row[13]),
    userId: textOrNull(row[14]),
    userIndex: numberOf(row[15]),
    stepType: textOrNull(row[16]),
    opts: textOrNull(row[20]) as JsonText | null, // proof: written from a JsonText
  };
  switch (kinds[numberOf(row[1])] ?? "call") {
    case "sleep":
      return { ...base, kind: "sleep", dueAt: numberOf(row[2]) };
    case "deadline":
      return { ...base, kind: "deadline", dueAt: numberOf(row[2]) };
    case "wait":
      return {
        ...base,
        kind: "wait",
        dueAt: numberOf(row[2]),
        event: textOf(row[17]),
        expression: textOrNull(row[18]),
      };
    case "signal":
      return { ...base, kind: "signal", dueAt: numberOf(row[2]), signal: textOf(row[17]) };
    case "waitMany":
      return {
        ...base,
        kind: "waitMany",
        dueAt: numberOf(row[2]),
        mode: textOf(row[17]) === "all" ? "all" : "any",
        branches: JSON.parse(textOf(row[18])) as readonly WaitJobBranch[], // proof: written from them
      };
    case "invoke":
      return {
        ...base,
        kind: "invoke",
        dueAt: numberOf(row[2]),
        functionSlug: textOf(row[17]),
        childRunId: unpackUlid(row[19]),
      };
    case "call":
      return {
        ...base,
        kind: "call",
        target: unpackHash(row[12]),
        attempt: numberOf(row[8]),
        attemptsMax: numberOf(row[9]),
        generation: numberOf(row[7]),
        gateway: decodeRequest(row[24]),
        again: (flags & againFlag) !== 0,
        input: textOrNull(row[23]) as JsonText | null, // proof: written from a JsonText
        state: decodeState(row),
      };
  }
}

function decodeState(row: readonly SQLOutputValue[]): CallState {
  const dueAt = numberOrNull(row[2]);
  if (dueAt !== null) return { at: "delayed", dueAt };
  const gate = textOrNull(row[3]);
  if (gate !== null) {
    const epoch = numberOrNull(row[21]);
    const kept = epoch === null ? null : { epoch, gates: numberOf(row[22]) };
    return { at: "queued", gate, since: numberOf(row[4]), kept };
  }
  return { at: "leased", epoch: numberOf(row[5]), leaseUntil: numberOf(row[6]) };
}
