// Load first, then decide: what a command needs in memory. Needs may come in two waves (a run
// must be there before its look-back is known), so a shell asks again until nothing is missing,
// and once more right before deciding, since the decisions before it may have changed the answer.
import type {
  AppRemoved,
  AppSynced,
  CallAnswered,
  CheckpointReceived,
  Command,
  EventsReceived,
  MetadataReceived,
  RetentionDue,
  RunInvoked,
  RunRerun,
  RunTriggered,
  ScheduleDue,
  SignalSent,
  WaitsContinued,
} from "./commands.ts";
import { startsHere } from "./flow/placement.ts";
import { ownsRun } from "./shard.ts";
import { repeatId, startAgainNeeds } from "./flow/start-again.ts";
import { startNeeds } from "./flow/start-needs.ts";
import { holdNeeds } from "./flow/holds.ts";
import type { EndpointCalled, EndpointProgressed } from "./endpoint-commands.ts";
import { carriedRun } from "./rules/carried-runs.ts";
import type { Opcode } from "@pawl/protocol/opcode";
import type { Need } from "./needs.ts";
import type { EventRecord, FunctionRecord } from "./records.ts";
import type { HotState } from "./state/hot-state.ts";
import type { RunView } from "./state/view.ts";
import { signalKey } from "./waits/signal.ts";
import { resendKey } from "./commands/signal-sent.ts";
import { soughtOf } from "./rules/wait-many.ts";
import { keysOf, lookbackNeeds } from "./rules/waits.ts";
import { scheduleNeeds } from "./schedule/registered.ts";
import { advance } from "./schedule/runtime.ts";
import { fire, tickEvent } from "./schedule/schedule.ts";
import { runtimeEvent } from "./schedule/ticking.ts";
import type { RuntimeSchedule, ScheduleRecord, Tick } from "./schedule-records.ts";

/** What is not in memory yet; empty when the command can be decided. */
export function requirements(state: HotState, command: Command): readonly Need[] {
  const missing: Need[] = [];
  const want = (need: Need): void => {
    if (!state.has(need)) missing.push(need);
  };
  switch (command.type) {
    case "app.synced":
    case "app.removed":
      wantSchedules(state, command, want);
      break;
    case "schedule.due":
    case "schedule.set":
    case "schedule.changed":
    case "schedule.removed":
    case "schedule.paused":
    case "schedule.resumed":
    case "schedule.triggered":
    case "schedule.runEnded":
      wantStartBy(state, command, want);
      break;
    case "endpoint.registered":
    case "app.syncFailed":
    case "paths.indexed":
    case "function.paused":
    case "function.resumed":
    case "function.limited":
      break;
    case "run.invoked":
    case "run.triggered":
    case "run.rerun":
    case "endpoint.called":
      wantNewRun(state, command, want);
      break;
    case "events.received":
    case "waits.continued":
      wantEvents(state, command, want);
      break;
    case "call.answered":
    case "checkpoint.received":
    case "endpoint.progressed":
    case "metadata.received":
      wantNoted(state, command, want);
      break;
    case "signal.sent":
      wantSignal(state, command, want);
      break;
    case "call.lost":
    case "call.admitted":
    case "timer.due":
    case "wait.matched":
    case "child.ended":
    case "child.joined":
    case "parent.cancelled":
    case "run.cancelled":
    case "run.repaired":
    case "spans.received":
      wantNamed(state, command, want);
      break;
    case "bulk.created":
    case "bulk.progressed":
    case "bulk.stopped":
    case "bulk.removed":
      want({ kind: "bulk", bulkId: "bulk" in command ? command.bulk.id : command.bulkId });
      break;
    case "retention.due":
      wantExpired(command, want);
      break;
  }
  return missing;
}

type Want = (need: Need) => void;

/** The run that a command names, and what else the command is decided from. */
function wantNamed(
  state: HotState,
  { type, runId }: Pick<Command, "type"> & { readonly runId: string },
  want: Want,
): void {
  wantRun(state, runId, want);
  if (type === "spans.received") want({ kind: "userSpans", runId });
}

/** A run, and then what flow control keeps for it. */
function wantRun(state: HotState, runId: string, want: Want): void {
  want({ kind: "run", runId });
  const run = state.run(runId)?.run;
  if (run !== undefined) for (const need of holdNeeds(run)) want(need);
}

/** The run, its metadata if there will be more of it, and what the steps need that an answer opens. */
function wantNoted(
  state: HotState,
  command: CallAnswered | CheckpointReceived | EndpointProgressed | MetadataReceived,
  want: Want,
): void {
  const { runId } = command;
  wantRun(state, runId, want);
  if (command.type === "metadata.received") return want({ kind: "metadata", runId });
  const opcodes = command.type === "call.answered" ? opcodesOf(command) : command.opcodes;
  if (opcodes.some(({ metadata }) => metadata !== undefined)) want({ kind: "metadata", runId });
  if (command.type !== "checkpoint.received") wantOpening(state, command, opcodes, want);
}

function opcodesOf({ answer }: CallAnswered): readonly Opcode[] {
  return answer.kind === "opcodes" ? answer.opcodes : [];
}

/** What a command needs that starts one run. */
function wantNewRun(
  state: HotState,
  command: RunInvoked | RunTriggered | RunRerun | EndpointCalled,
  want: Want,
): void {
  if (command.type === "endpoint.called") return wantCarried(state, command, want);
  if (command.type === "run.invoked") return wantInvoked(state, command, want);
  if (command.type === "run.rerun") return wantRerun(state, command, want);
  return wantTriggered(state, command, want);
}

function wantTriggered(state: HotState, command: RunTriggered, want: Want): void {
  const fn = state.functionById(command.functionId);
  if (fn !== undefined)
    wantStart(state, startNeeds(fn, command.event, command.at, "trigger"), want);
}

function wantExpired({ bounds, limit, limitBytes, at }: RetentionDue, want: Want): void {
  want({ kind: "expired", bounds, limit, limitBytes });
  want({ kind: "expiredKeys", at, limit });
  want({ kind: "expiredRates", at, limit });
}

/** What the start needs, unless it is decided elsewhere, and whether the invoker goes on. */
function wantInvoked(state: HotState, command: RunInvoked, want: Want): void {
  const { functionSlug, newRunId, event, parent, at, once = false } = command;
  const fn = state.functionBySlug(functionSlug);
  if (fn === undefined || (newRunId === null && !startsHere(state, fn, event))) return;
  wantStart(state, startNeeds(fn, event, at, once ? "invokeOnce" : "invoke"), want);
  if (parent !== null && ownsRun(state, parent.runId)) want({ kind: "run", runId: parent.runId });
}

/** The run, whether it was started again before, and what its function's start needs. */
function wantRerun(state: HotState, command: RunRerun, want: Want): void {
  const { runId, at, gate } = command;
  wantRun(state, runId, want);
  const original = state.run(runId);
  const fn = original === undefined ? undefined : state.functionById(original.run.functionId);
  const event = original?.events[0];
  if (fn === undefined || event === undefined) return;
  if (gate === null && !startsHere(state, fn, event)) return;
  want({ kind: "run", runId: repeatId(state, command, fn, event) });
  for (const need of startAgainNeeds(fn, event, at)) want(need);
}

/** The schedules that an app has, and those that it asks for. */
function wantSchedules(state: HotState, command: AppSynced | AppRemoved, want: Want): void {
  const [appId, functions] =
    command.type === "app.synced" ? [command.app.id, command.functions] : [command.appId, []];
  const before = state.app(appId)?.functions ?? [];
  for (const need of scheduleNeeds([...before, ...functions])) want(need);
}

/** A schedule, and then what the start by its tick needs. */
function wantTick(
  state: HotState,
  { scheduleId, at }: Pick<ScheduleDue, "scheduleId" | "at">,
  want: Want,
): void {
  const schedule = wantSchedule(state, scheduleId, want);
  if (schedule === undefined || schedule.dueAt === null || schedule.dueAt > at) return;
  if (schedule.kind === "runtime") {
    const { tick } = advance(schedule, at, state.settings);
    if (tick !== null) wantTarget(state, schedule, { at: tick, isManual: false }, at, want);
    return;
  }
  const fn = state.functionById(schedule.functionId);
  const { tick } = fire(schedule, at, state.settings);
  if (fn === undefined || tick === null) return;
  // Nothing that a start needs depends on the internal id, which is chosen by the decision.
  const event = tickEvent(schedule, tick, "", at);
  wantTrigger(state, fn, event, at, want);
}

/** What a start by a trigger needs, if it is decided here. */
function wantTrigger(
  state: HotState,
  fn: FunctionRecord,
  event: EventRecord,
  at: number,
  want: Want,
): void {
  if (startsHere(state, fn, event)) wantStart(state, startNeeds(fn, event, at, "trigger"), want);
}

/** A schedule; undefined: it is not there, or not yet in memory. */
function wantSchedule(state: HotState, scheduleId: string, want: Want): ScheduleRecord | undefined {
  const need: Need = { kind: "schedule", scheduleId };
  want(need);
  return state.has(need) ? state.schedule(scheduleId) : undefined;
}

/** A schedule, and then what the start needs that the command may bring. */
function wantStartBy(
  state: HotState,
  { type, scheduleId, at }: Pick<Command, "type" | "at"> & { readonly scheduleId: string },
  want: Want,
): void {
  if (type === "schedule.due") return wantTick(state, { scheduleId, at }, want);
  const schedule = wantSchedule(state, scheduleId, want);
  if (schedule?.kind !== "runtime") return;
  const tick = type === "schedule.triggered" ? { at, isManual: true } : schedule.queued;
  const mayStart = type === "schedule.triggered" || type === "schedule.runEnded";
  if (mayStart && tick !== null) wantTarget(state, schedule, tick, at, want);
}

/** What the start by a tick needs, whether or not overlap will let it. */
function wantTarget(
  state: HotState,
  schedule: RuntimeSchedule,
  tick: Tick,
  at: number,
  want: Want,
): void {
  // Nothing that a start needs depends on the internal id, which is chosen by the decision.
  const event = runtimeEvent(schedule, tick, at);
  const { kind, name } = schedule.target;
  if (kind === "event") return wantEvent(state, event, at, want);
  const fn = state.functionBySlug(name);
  if (fn !== undefined) wantTrigger(state, fn, event, at, want);
}

/** What a start needs, and then the run in an open slot that takes the event. */
function wantStart(state: HotState, needs: readonly Need[], want: Want): void {
  for (const need of needs) {
    want(need);
    if (need.kind !== "gate" || !state.has(need)) continue;
    const record = state.gateRecord(need.key);
    if (record?.kind === "open") wantRun(state, record.runId, want);
  }
}

function wantEvents(state: HotState, command: EventsReceived | WaitsContinued, want: Want): void {
  if (command.type === "waits.continued") return wantWaits(state, command, command.event, want);
  for (const event of command.events) {
    if (command.resendable) want({ kind: "event", eventId: event.id });
    wantEvent(state, event, command.at, want);
  }
}

function wantEvent(state: HotState, event: EventRecord, at: number, want: Want): void {
  for (const { fn } of state.triggeredBy(event.name)) wantTrigger(state, fn, event, at, want);
  const limit = state.settings.waitsPageSize;
  for (const key of keysOf(state, event)) {
    want({ kind: "waits", event: event.name, key, after: null, limit });
  }
}

function wantWaits(state: HotState, command: WaitsContinued, event: EventRecord, want: Want): void {
  const { key, after } = command;
  want({ kind: "waits", event: event.name, key, after, limit: state.settings.waitsPageSize });
}

/** Whether there is such a run, and what the steps need that its first checkpoint opens. */
function wantCarried(state: HotState, command: EndpointCalled, want: Want): void {
  want({ kind: "run", runId: command.runId });
  const fn = state.functionById(command.functionId);
  if (fn === undefined) return;
  const run = carriedRun(fn, command);
  for (const opcode of command.opcodes) {
    for (const need of openingNeeds(state, run, opcode, command.at)) want(need);
  }
}

/** What must be there before the steps of an answer are opened. */
function wantOpening(
  state: HotState,
  command: { readonly runId: string; readonly at: number },
  opcodes: readonly Opcode[],
  want: Want,
): void {
  const run = state.run(command.runId);
  if (run === undefined) return;
  for (const opcode of opcodes) {
    for (const need of openingNeeds(state, run, opcode, command.at)) want(need);
  }
}

function openingNeeds(state: HotState, run: RunView, opcode: Opcode, at: number): readonly Need[] {
  switch (opcode.op) {
    case "WaitForEvent":
      return lookbackNeeds(state, run, opcode, at);
    case "WaitForEvents":
      // Too many are refused; nothing is read for them.
      if (opcode.branches.length > state.settings.waitBranchesMax) return [];
      return soughtOf(opcode).flatMap((sought) => lookbackNeeds(state, run, sought, at));
    case "WaitForSignal":
      return [{ kind: "gate", key: signalKey(opcode.signal) }];
    default:
      return [];
  }
}

/** The name of the signal, and then the run that waits for it. */
function wantSignal(state: HotState, { signal, id }: SignalSent, want: Want): void {
  if (id !== null) want({ kind: "idempotency", key: resendKey(id) });
  const need: Need = { kind: "gate", key: signalKey(signal) };
  want(need);
  const record = state.has(need) ? state.gateRecord(need.key) : undefined;
  if (record?.kind === "signal") wantRun(state, record.runId, want);
}
