// Events arrived: they are stored, start the functions they trigger, and reach the runs that wait.
import { compileExpression } from "../expression/compile.ts";
import type { EventsReceived } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { Draft } from "../draft.ts";
import { eventValue } from "../event-value.ts";
import type { EventRecord } from "../records.ts";
import type { RunDraft } from "../run-draft.ts";
import type { StateView, Triggered } from "../state/view.ts";
import { deliverToNew } from "../flow/cancel-on.ts";
import { trigger } from "../flow/start.ts";
import { deliver, indexKeys, keysOf } from "../rules/waits.ts";

export function eventsReceived(state: StateView, command: EventsReceived): Decision {
  const draft = new Draft(state, command);
  const started = new Set<RunDraft>();
  for (const event of command.events) {
    // The same ids again are a request sent again: it was answered for before, or is now.
    if (command.resendable && state.eventExists(event.id)) continue;
    draft.write({ type: "event.put", event, keys: indexKeys(state, event) });
    deliverToNew(draft, started, event);
    startTriggered(draft, event, started);
    for (const key of keysOf(state, event)) deliver(draft, event, key, null);
  }
  const eventIds = command.events.map((event) => event.id);
  return draft.decide({ ok: true, value: { type: "accepted", eventIds } });
}

/** `started` gathers the runs that started within this command. */
function startTriggered(draft: Draft, event: EventRecord, started: Set<RunDraft>): void {
  const seen = new Set<string>();
  for (const triggered of draft.state.triggeredBy(event.name)) {
    const { fn } = triggered;
    // Several triggers of one function may match: the event still starts it once.
    if (seen.has(fn.id) || !applies(triggered, event, draft.at)) continue;
    seen.add(fn.id);
    const run = trigger(draft, fn, event);
    if (run !== null) started.add(run);
  }
}

function applies({ trigger }: Triggered, event: EventRecord, at: number): boolean {
  if (trigger.expression === null) return true;
  return compileExpression(trigger.expression).test({ event: eventValue(event) }, at);
}
