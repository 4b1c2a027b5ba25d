// Names of gates and of the queues before them. A gate limits how many calls are out at once; those
// that find it full wait in a queue. A gate that several functions share has a queue for each, so
// that they take turns. This file must not know limits, only names.
//
// `app:<app>` every call of an app, `fn:<function>` every call of a function, `c:<scope>:<owner>:
// <hash of expression>:<hash of value>` calls with one value of a concurrency key, `pause:<function>`
// first calls of a function while it is paused, `gateway` requests that the server performs itself.
import type { CallJob, Job, RunRecord } from "./records.ts";

/** Whom the gate of a concurrency key counts. */
export type KeyScope = "fn" | "env" | "account";

/** The gate that every call of an app passes. */
export function appGate(appId: string): string {
  return `app:${appId}`;
}

/** The gate that every call of a function passes. */
export function functionGate(functionId: string): string {
  return `fn:${functionId}`;
}

/** The gate of one value of a concurrency key; the hashes are of expression and value. */
export function keyGate(
  scope: KeyScope,
  functionId: string,
  expressionHash: string,
  valueHash: string,
): string {
  return `c:${scope}:${scope === "fn" ? functionId : "all"}:${expressionHash}:${valueHash}`;
}

/** The gate that holds back first calls while a function is paused. */
export function pauseGate(functionId: string): string {
  return `pause:${functionId}`;
}

/** The gate of all requests that the server performs itself. */
export const gatewayGate = "gateway";

/** What of a call decides where it counts. */
export type Performed = Pick<CallJob, "gateway">;

/**
 * The gates in which a call of a run counts while it is out; the same for all its life, and for any
 * two calls in the same order. A request that the server performs is no load for the app.
 */
export function gatesOf(run: RunRecord, { gateway }: Performed): readonly string[] {
  const performer = gateway === null ? appGate(run.appId) : gatewayGate;
  return [...run.gates, functionGate(run.functionId), performer];
}

/** The order of concurrency keys' gates: those of a function first, then by name. */
export function compareKeyGates(a: string, b: string): number {
  return Number(isShared(a)) - Number(isShared(b)) || (a < b ? -1 : Number(a > b));
}

/** At how many of `gatesOf` it, the first ones, a job has a place in this epoch. */
export function placesOf(run: RunRecord, job: Job | undefined, epoch: number): number {
  if (job?.kind !== "call") return 0;
  const { state } = job;
  // A lease of an earlier epoch has no place: its process is gone.
  if (state.at === "leased") return state.epoch === epoch ? run.gates.length + 2 : 0;
  if (state.at === "queued" && state.kept?.epoch === epoch) return state.kept.gates;
  return 0;
}

/** The gates at which a job has a place in this epoch. */
export function placedGates(
  run: RunRecord,
  job: Job | undefined,
  epoch: number,
): readonly string[] {
  if (job?.kind !== "call") return [];
  return gatesOf(run, job).slice(0, placesOf(run, job, epoch));
}

/** The gates at which a waiting job keeps a place. */
export function keptGates(run: RunRecord, job: Job | undefined, epoch: number): readonly string[] {
  if (job?.kind !== "call" || job.state.at !== "queued") return [];
  return placedGates(run, job, epoch);
}

/** The queue in which calls of a function wait before a gate. */
export function queueOf(gate: string, functionId: string): string {
  return isShared(gate) ? `${gate}|${functionId}` : gate;
}

/** The gate that a queue stands before. */
export function gateOfQueue(queue: string): string {
  return queue.split("|", 1)[0] ?? queue;
}

/** The function whose calls wait in a queue; empty for queues of earlier versions. */
export function functionOfQueue(queue: string): string {
  const [gate = "", functionId] = queue.split("|", 2);
  if (functionId !== undefined) return functionId;
  const [kind, first, owner] = gate.split(":", 3);
  if (kind === "fn" || kind === "pause") return first ?? "";
  return kind === "c" ? (owner ?? "") : "";
}

function isShared(gate: string): boolean {
  if (gate === gatewayGate) return true;
  return gate.startsWith("app:") || gate.startsWith("c:env:") || gate.startsWith("c:account:");
}
