// Spans of user code have come for a run, also for one that has ended: SDKs send them after the
// answer. As many are kept as the limits of a run allow; nothing else of the run changes.
import type { SpansReceived } from "../span-commands.ts";
import type { Decision } from "../decision.ts";
import { Draft } from "../draft.ts";
import { runNotFound } from "../rules/replies.ts";
import type { Settings } from "../settings.ts";
import type { StateView } from "../state/view.ts";
import { userSpanBytes, type UserSpan } from "../user-spans.ts";

export function spansReceived(state: StateView, command: SpansReceived): Decision {
  const draft = new Draft(state, command);
  const { runId } = command;
  if (draft.run(runId) === undefined) return draft.decide(runNotFound(runId));
  const tally = state.userSpans(runId);
  const ids = new Set(tally.ids);
  let { bytes } = tally;
  const taken: UserSpan[] = [];
  let refused = 0;
  let problem: string | null = null;
  for (const span of command.spans) {
    if (ids.has(span.id)) continue;
    const size = userSpanBytes(span);
    const trouble = limitProblem(runId, ids.size + 1, bytes + size, state.settings);
    if (trouble !== null) {
      refused += 1;
      problem ??= trouble;
      continue;
    }
    ids.add(span.id);
    bytes += size;
    taken.push(span);
  }
  if (taken.length > 0) draft.write({ type: "userSpans.put", runId, spans: taken });
  const repeated = command.spans.length - taken.length - refused;
  const value = { type: "spans", taken: taken.length, repeated, refused, problem } as const;
  return draft.decide({ ok: true, value });
}

function limitProblem(
  runId: string,
  count: number,
  bytes: number,
  { userSpansPerRunMax, userSpanBytesPerRunMax }: Settings,
): string | null {
  if (count > userSpansPerRunMax)
    return `Run ${runId} has ${userSpansPerRunMax} spans, the limit (setting userSpansPerRunMax). Send fewer, or raise it.`;
  if (bytes > userSpanBytesPerRunMax)
    return `The spans of run ${runId} would take ${bytes} bytes; the limit is ${userSpanBytesPerRunMax} (setting userSpanBytesPerRunMax). Send smaller attributes, or raise it.`;
  return null;
}
