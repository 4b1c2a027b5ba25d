// Waiting for the first of several events, or for one of each. One job; each branch that has no
// event yet has an entry in the index of waits. An event of which the run is told is tried on all
// branches, so that it does not matter under which of them it was found.
import { jsonNull, toJsonText, type JsonText } from "@pawl/protocol/json-text";
import { sliceObject } from "@pawl/protocol/json-span";
import type { WaitForEventsOpcode } from "@pawl/protocol/opcode";
import { writeEvent } from "@pawl/protocol/event-wire";
import type { EventRecord, WaitJobBranch, WaitManyJob } from "../records.ts";
import type { RunDraft } from "../run-draft.ts";
import { branchId } from "../waits/branch.ts";
import { continueRun } from "./discovery.ts";
import { wrap } from "./memo.ts";
import { base, finishAtOnce, momentOf, refuseAtOnce, timer } from "./opening.ts";
import { endStepJob, manyOps } from "./steps.ts";
import {
  findPastEvent,
  indexWait,
  matches,
  triggerOf,
  waitExpressionProblem,
  type Sought,
} from "./waits.ts";

/** What the branches of a step look for in the past. */
export function soughtOf({ branches, lookback }: WaitForEventsOpcode): readonly Sought[] {
  return branches.map(({ event, expression }) => ({ event, expression, lookback }));
}

/** Opens a step that waits for several events. Returns whether it was finished at once. */
export function openWaitMany(
  run: RunDraft,
  opcode: WaitForEventsOpcode,
  parallel: boolean,
): boolean {
  const op = manyOps[opcode.mode];
  const error = problemOf(run, opcode);
  if (error !== null) return refuseAtOnce(run, opcode, op, error);
  const branches = fromThePast(run, opcode);
  const memo = memoOf(opcode.mode, branches);
  if (memo !== null) return finishAtOnce(run, opcode, op, memo);
  const dueAt = momentOf(run, opcode.timeout);
  const job: WaitManyJob = {
    ...base(run, opcode, parallel),
    kind: "waitMany",
    dueAt,
    mode: opcode.mode,
    branches,
  };
  if (dueAt <= run.draft.at) {
    return finishAtOnce(run, { ...opcode, opts: withReceived(job).opts }, op, jsonNull);
  }
  run.putJob(job);
  for (const [place, { received, event, expression }] of branches.entries()) {
    if (received === null)
      indexWait(run, { id: branchId(job.id, place), event, expression }, dueAt);
  }
  timer(run, job.id, dueAt);
  return false;
}

function problemOf(run: RunDraft, { branches, displayName }: WaitForEventsOpcode) {
  const { waitBranchesMax } = run.draft.state.settings;
  if (branches.length > waitBranchesMax) {
    return {
      name: "PawlWaitTooWideError",
      code: "wait_branches_exceeded",
      message: `Step "${displayName}" waits for ${branches.length} events at once; the limit is ${waitBranchesMax} (setting waitBranchesMax). Wait for fewer, or match several with one expression.`,
    };
  }
  for (const branch of branches) {
    const message = waitExpressionProblem(displayName, branch);
    if (message !== null) return { name: "InvalidExpression", code: "expression_invalid", message };
  }
  return null;
}

/** The branches with the events that came before: of mode `any` the one that came first. */
function fromThePast(run: RunDraft, opcode: WaitForEventsOpcode): readonly WaitJobBranch[] {
  const found = soughtOf(opcode).map((sought) => findPastEvent(run, sought));
  const ids = found.flatMap((event) => (event === undefined ? [] : [event.id])).toSorted();
  const first = found.findIndex((event) => event !== undefined && event.id === ids[0]);
  return opcode.branches.map((branch, place) => {
    const event = opcode.mode === "all" || place === first ? found[place] : undefined;
    return { ...branch, received: event === undefined ? null : writeEvent(event) };
  });
}

/** An event came that was found under one of the branches. */
export function receiveEvent(run: RunDraft, job: WaitManyJob, event: EventRecord): void {
  const trigger = triggerOf(run);
  const fits = job.branches.map(
    (branch) =>
      branch.received === null &&
      branch.event === event.name &&
      matches(branch.expression, trigger, event, run.draft.at),
  );
  const places = fits.flatMap((fit, place) => (fit ? [place] : []));
  const taking = job.mode === "any" ? places.slice(0, 1) : places;
  if (taking.length === 0) return;
  const received = writeEvent(event);
  const branches = job.branches.map((branch, place) =>
    taking.includes(place) ? { ...branch, received } : branch,
  );
  for (const place of taking) run.deleteWait(branchId(job.id, place));
  run.putJob({ ...job, branches });
  const memo = memoOf(job.mode, branches);
  if (memo === null) return;
  endStepJob(run, job, memo);
  continueRun(run, { finished: [job.id], race: job.race });
}

/** What the step comes to: `{"name", "event"}`, or the events by their names; null: it goes on. */
function memoOf(mode: WaitManyJob["mode"], branches: readonly WaitJobBranch[]): JsonText | null {
  const had = branches.filter(({ received }) => received !== null);
  const [first] = had;
  if (first === undefined || (mode === "all" && had.length < branches.length)) return null;
  const text =
    mode === "any"
      ? `{"name":${toJsonText(first.name)},"event":${first.received}}`
      : `{${had.map(({ name, received }) => `${toJsonText(name)}:${received}`).join(",")}}`;
  return wrap("data", text as JsonText); // proof: JSON values under quoted, distinct names
}

/** The job as people see it when its time is over: its options tell which events had come. */
export function withReceived(job: WaitManyJob): WaitManyJob {
  const ids = job.branches.flatMap(({ name, received }) => {
    const id = received === null ? undefined : sliceObject(received).get("id");
    return id === undefined ? [] : [`${toJsonText(name)}:${id}`];
  });
  if (ids.length === 0) return job;
  const members = [...(job.opts === null ? [] : sliceObject(job.opts))]
    .filter(([key]) => key !== "received")
    .map(([key, text]) => `${toJsonText(key)}:${text}`);
  const opts = `{${[...members, `"received":{${ids.join(",")}}`].join(",")}}`;
  return { ...job, opts: opts as JsonText }; // proof: JSON values under quoted, distinct names
}
