// Events arrived: each is taken in, in order.
import type { EventsReceived } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { Draft } from "../draft.ts";
import { takeEvent } from "../rules/take-event.ts";
import type { RunDraft } from "../run-draft.ts";
import type { StateView } from "../state/view.ts";

export function eventsReceived(state: StateView, command: EventsReceived): Decision {
  const draft = new Draft(state, command);
  const started = new Set<RunDraft>();
  for (const event of command.events) {
    // The same ids again are a request sent again: it was answered for before, or is now.
    if (command.resendable && state.eventExists(event.id)) continue;
    takeEvent(draft, event, started);
  }
  const eventIds = command.events.map((event) => event.id);
  return draft.decide({ ok: true, value: { type: "accepted", eventIds } });
}
