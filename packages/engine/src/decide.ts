// The engine: one pure, synchronous, total function from a state and a command to a decision.
import type { BulkCommand } from "./bulk-commands.ts";
import type { Command, FunctionLimited, FunctionPaused, FunctionResumed } from "./commands.ts";
import type { EndpointCommand } from "./endpoint-commands.ts";
import type { Decision } from "./decision.ts";
import type { StateView } from "./state/view.ts";
import { appRemoved } from "./commands/app-removed.ts";
import { appSyncFailed } from "./commands/app-sync-failed.ts";
import { appSynced } from "./commands/app-synced.ts";
import { bulkCreated } from "./commands/bulk-created.ts";
import { bulkProgressed } from "./commands/bulk-progressed.ts";
import { bulkRemoved, bulkStopped } from "./commands/bulk-ended.ts";
import { callAdmitted } from "./commands/call-admitted.ts";
import { callAnswered } from "./commands/call-answered.ts";
import { callLost } from "./commands/call-lost.ts";
import { childJoined } from "./commands/child-joined.ts";
import { checkpointReceived } from "./commands/checkpoint-received.ts";
import { childEnded } from "./commands/child-ended.ts";
import { endpointCalled } from "./commands/endpoint-called.ts";
import { endpointProgressed } from "./commands/endpoint-progressed.ts";
import { endpointRegistered } from "./commands/endpoint-registered.ts";
import { eventsReceived } from "./commands/events-received.ts";
import { functionLimited } from "./commands/function-limited.ts";
import { functionPaused } from "./commands/function-paused.ts";
import { metadataReceived } from "./commands/metadata-received.ts";
import { parentCancelled } from "./commands/parent-cancelled.ts";
import { pathsIndexed } from "./commands/paths-indexed.ts";
import { retentionDue } from "./commands/retention-due.ts";
import { runCancelled } from "./commands/run-cancelled.ts";
import { runInvoked } from "./commands/run-invoked.ts";
import { runRerun } from "./commands/run-rerun.ts";
import { runRepaired } from "./commands/run-repaired.ts";
import { runTriggered } from "./commands/run-triggered.ts";
import { scheduleDue } from "./commands/schedule-due.ts";
import { signalSent } from "./commands/signal-sent.ts";
import { scheduleHeld, scheduleRemoved } from "./commands/schedule-held.ts";
import { scheduleChanged, scheduleSet } from "./commands/schedule-set.ts";
import { scheduleRunEnded, scheduleTriggered } from "./commands/schedule-triggered.ts";
import { spansReceived } from "./commands/spans-received.ts";
import { timerDue } from "./commands/timer-due.ts";
import { waitMatched } from "./commands/wait-matched.ts";
import { waitsContinued } from "./commands/waits-continued.ts";

/**
 * Decides a command. The state is not touched; everything that `requirements` names must be in
 * it. Expected outcomes are replies; a throw means that a promise of ours was broken.
 */
export function decide(state: StateView, command: Command): Decision {
  switch (command.type) {
    case "app.synced":
    case "app.removed":
    case "app.syncFailed":
      return decideApp(state, command);
    case "events.received":
      return eventsReceived(state, command);
    case "call.answered":
    case "call.lost":
    case "call.admitted":
      return decideCall(state, command);
    case "checkpoint.received":
      return checkpointReceived(state, command);
    case "timer.due":
      return timerDue(state, command);
    case "schedule.due":
    case "schedule.set":
    case "schedule.changed":
    case "schedule.removed":
    case "schedule.paused":
    case "schedule.resumed":
    case "schedule.triggered":
    case "schedule.runEnded":
      return decideSchedule(state, command);
    case "wait.matched":
      return waitMatched(state, command);
    case "waits.continued":
      return waitsContinued(state, command);
    case "signal.sent":
      return signalSent(state, command);
    case "run.invoked":
      return runInvoked(state, command);
    case "run.triggered":
      return runTriggered(state, command);
    case "child.ended":
      return childEnded(state, command);
    case "run.cancelled":
      return runCancelled(state, command);
    case "metadata.received":
      return metadataReceived(state, command);
    case "function.paused":
    case "function.resumed":
    case "function.limited":
      return decideFunction(state, command);
    case "child.joined":
      return childJoined(state, command);
    case "parent.cancelled":
      return parentCancelled(state, command);
    case "run.rerun":
      return runRerun(state, command);
    case "bulk.created":
    case "bulk.progressed":
    case "bulk.stopped":
    case "bulk.removed":
      return decideBulk(state, command);
    case "endpoint.registered":
    case "endpoint.called":
    case "endpoint.progressed":
      return decideEndpoint(state, command);
    case "run.repaired":
      return runRepaired(state, command);
    case "paths.indexed":
      return pathsIndexed(state, command);
    case "spans.received":
      return spansReceived(state, command);
    case "retention.due":
      return retentionDue(state, command);
  }
}

type CallCommand = Extract<Command, { readonly type: `call.${string}` }>;

function decideCall(state: StateView, command: CallCommand): Decision {
  switch (command.type) {
    case "call.answered":
      return callAnswered(state, command);
    case "call.lost":
      return callLost(state, command);
    case "call.admitted":
      return callAdmitted(state, command);
  }
}

type AppCommand = Extract<Command, { readonly type: `app.${string}` }>;

function decideApp(state: StateView, command: AppCommand): Decision {
  switch (command.type) {
    case "app.synced":
      return appSynced(state, command);
    case "app.removed":
      return appRemoved(state, command);
    case "app.syncFailed":
      return appSyncFailed(state, command);
  }
}

/** Those that name a function. */
type FunctionCommand = FunctionPaused | FunctionResumed | FunctionLimited;

function decideFunction(state: StateView, command: FunctionCommand): Decision {
  if (command.type === "function.limited") return functionLimited(state, command);
  return functionPaused(state, command);
}

/** Those that name a schedule. */
type ScheduleCommand = Extract<Command, { readonly scheduleId: string }>;

function decideSchedule(state: StateView, command: ScheduleCommand): Decision {
  switch (command.type) {
    case "schedule.due":
      return scheduleDue(state, command);
    case "schedule.set":
      return scheduleSet(state, command);
    case "schedule.changed":
      return scheduleChanged(state, command);
    case "schedule.removed":
      return scheduleRemoved(state, command);
    case "schedule.paused":
    case "schedule.resumed":
      return scheduleHeld(state, command);
    case "schedule.triggered":
      return scheduleTriggered(state, command);
    case "schedule.runEnded":
      return scheduleRunEnded(state, command);
  }
}

function decideEndpoint(state: StateView, command: EndpointCommand): Decision {
  switch (command.type) {
    case "endpoint.registered":
      return endpointRegistered(state, command);
    case "endpoint.called":
      return endpointCalled(state, command);
    case "endpoint.progressed":
      return endpointProgressed(state, command);
  }
}

function decideBulk(state: StateView, command: BulkCommand): Decision {
  switch (command.type) {
    case "bulk.created":
      return bulkCreated(state, command);
    case "bulk.progressed":
      return bulkProgressed(state, command);
    case "bulk.stopped":
      return bulkStopped(state, command);
    case "bulk.removed":
      return bulkRemoved(state, command);
  }
}
