// What the server itself publishes (protocol.md 5.9): the steps and the end of each run that somebody
// listens to, after the commit that made them. It must not know who listens, and holds nobody up.
import type { Change } from "@pawl/engine/changes";
import type { RunRecord, StepRecord } from "@pawl/engine/records";
import type { HotState } from "@pawl/engine/state/hot-state";
import { assertJson } from "@pawl/protocol/json-span";
import { jsonNull, toJsonText, type JsonText } from "@pawl/protocol/json-text";
import { spliced } from "../api/envelope.ts";
import { runOutput, stepOutput } from "../query/outputs.ts";
import { frameOf, type MessageKind, type RunNames } from "./frame.ts";
import type { Hub } from "./hub.ts";
import type { RealtimeLimits } from "./limits.ts";
import { isServerTopic, serverTopics } from "./topics.ts";

export interface FeedParts {
  readonly hub: Hub;
  readonly limits: RealtimeLimits;
  readonly now: () => number;
  /** Replaced after a failed commit: asked each time. */
  readonly hot: () => HotState;
}

/** Publishes what a commit brought. */
export function publishChanges(parts: FeedParts, changes: readonly Change[]): void {
  const { hub, hot } = parts;
  /** A run may be written several times in one commit; the last time tells. */
  const runs = new Map<string, RunRecord>();
  /** Written once, when a run ends. */
  const outputs = new Map<string, JsonText>();
  for (const change of changes) {
    if (change.type === "step.put" && hub.hears(change.runId))
      publishStep(parts, runNames(hot(), change.runId), change.step);
    else if (change.type === "output.put" && hub.hears(change.runId))
      outputs.set(change.runId, change.output);
    else if (change.type === "run.put" && hub.hears(change.run.id))
      runs.set(change.run.id, change.run);
  }
  for (const [runId, output] of outputs) {
    const run = runs.get(runId);
    if (run !== undefined) publishEnd(parts, run, output);
  }
}

/** The names of a run, with its function's if the run is in memory. */
export function runNames(hot: HotState, runId: string): RunNames {
  const functionId = hot.run(runId)?.run.functionId ?? null;
  const functionSlug = functionId === null ? null : (hot.functionById(functionId)?.slug ?? null);
  return { runId, functionId, functionSlug };
}

function publishStep(parts: FeedParts, run: RunNames, step: StepRecord): void {
  const { id, op, displayName, userId, userIndex, status, attempts, memo } = step;
  const metadata = { step_id: id, op, name: displayName, index: userIndex, status, attempts };
  const own = userId ?? displayName;
  const topics = isServerTopic(own) ? [serverTopics.step] : [serverTopics.step, own];
  for (const topic of topics) {
    publish(parts, run, { kind: "step", topic, metadata, stored: memo }, () => {
      const { data, error } = stepOutput(step);
      return data ?? error ?? jsonNull;
    });
  }
}

function publishEnd(parts: FeedParts, run: RunRecord, output: JsonText): void {
  const { id, status, endReason: reason } = run;
  const told: Told = {
    kind: "run",
    topic: serverTopics.run,
    metadata: { status, reason },
    stored: output,
  };
  publish(parts, runNames(parts.hot(), id), told, () => {
    const { data, error } = runOutput(output, null);
    const texts = { ...(data && { result: data }), ...(error && { error }) };
    return assertJson(spliced({ status }, texts));
  });
}

interface Told {
  readonly kind: Extract<MessageKind, "step" | "run">;
  readonly topic: string;
  readonly metadata: object;
  /** What `data` is taken from. */
  readonly stored: JsonText;
}

/** What is too large for a message is left out of it, and the message says so. */
function publish(parts: FeedParts, run: RunNames, told: Told, data: () => JsonText): void {
  const { hub, limits, now } = parts;
  const { kind, topic, metadata, stored } = told;
  hub.publish(run.runId, topic, () => {
    const bytes = Buffer.byteLength(stored);
    const fits = bytes <= limits.messageBytesMax;
    return frameOf({
      kind,
      topic,
      channel: run.runId,
      createdAt: now(),
      run,
      data: fits ? data() : jsonNull,
      metadata: toJsonText(fits ? metadata : { ...metadata, omitted_bytes: bytes }),
    });
  });
}
