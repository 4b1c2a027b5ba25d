// Changes the metadata of a run: by request, as a whole or not at all; or as a step brought it, where
// what is too much is dropped and a warning says so, since no run fails for what only people read.
import { toJsonText, type JsonText } from "@pawl/protocol/json-text";
import type { MetadataUpdate } from "@pawl/protocol/metadata-wire";
import type { Opcode } from "@pawl/protocol/opcode";
import type { EngineCode } from "../codes.ts";
import { wholeRun } from "../metadata-records.ts";
import type { MetadataPlace, MetadataSubject, TargetedUpdate } from "../metadata-records.ts";
import type { RunDraft } from "../run-draft.ts";
import { MetadataLayer } from "../state/metadata-layer.ts";
import { aiKind, withEstimatedCost } from "./ai-cost.ts";
import { subjectOf } from "./subject.ts";
import { combine } from "./values.ts";

export interface MetadataProblem {
  readonly code: EngineCode;
  readonly message: string;
}

/** Where the server says what it could not keep. */
const warnings: MetadataPlace = { ...wholeRun, kind: "inngest.warnings" };
const warningName = "pawl.metadata_dropped";
const nameCharsShown = 100;

/** Takes all of the updates; null when they are taken, else none is. */
export function updateMetadata(
  run: RunDraft,
  updates: readonly TargetedUpdate[],
): MetadataProblem | null {
  const layer = new MetadataLayer(run.metadata);
  for (const update of updates) {
    const subject = subjectOf(run, update.target);
    const problem =
      subject === null ? targetUnknown(run, update) : applyUpdate(run, layer, subject, update);
    if (problem !== null) return problem;
  }
  const problem = limitProblem(run, layer);
  if (problem === null) run.metadata.take(layer);
  return problem;
}

/**
 * Keeps what an opcode brings for the step that it is about, in `attempt`, or for the run. The caller has
 * made sure that it is news, and that the metadata of the run is in memory if the opcode has any.
 */
export function takeMetadata(run: RunDraft, opcode: Opcode, attempt: number): void {
  const { metadata, displayName } = opcode;
  if (metadata === undefined) return;
  let { problem } = metadata;
  for (const update of metadata.updates) {
    const layer = new MetadataLayer(run.metadata);
    const subject = subjectOfOpcode(opcode, update.scope, attempt);
    const refused = applyUpdate(run, layer, subject, update) ?? limitProblem(run, layer);
    if (refused === null) run.metadata.take(layer);
    else problem ??= refused.message;
  }
  if (problem === null) return;
  const name = displayName.slice(0, nameCharsShown);
  warn(run, `Metadata of step "${name}" was dropped; the step went on. ${problem}`);
}

function subjectOfOpcode(
  { op, id }: Opcode,
  scope: MetadataSubject["scope"],
  attempt: number,
): MetadataSubject {
  // The function's own result is no step.
  if (scope === "run" || op === "RunComplete") return wholeRun;
  return { scope, stepId: id, attempt: scope === "step" ? null : attempt, spanId: null };
}

/** Writes one update into a layer, whatever the limits. */
function applyUpdate(
  run: RunDraft,
  layer: MetadataLayer,
  subject: MetadataSubject,
  { kind, op, values }: MetadataUpdate,
): MetadataProblem | null {
  const place = { ...subject, kind };
  const before = layer.get(place)?.values ?? null;
  const combined = combine(before, op, values);
  if (!combined.ok)
    return {
      code: "metadata_invalid",
      message: `Metadata ${kind} of run ${run.id}: ${combined.problem}.`,
    };
  if (combined.values === null) layer.delete(place);
  else put(run, layer, place, costed(run, kind, before, combined.values));
  return null;
}

function costed(run: RunDraft, kind: string, before: JsonText | null, values: JsonText): JsonText {
  const { modelPrices } = run.draft.state.settings;
  return kind === aiKind ? withEstimatedCost(before, values, modelPrices) : values;
}

function put(run: RunDraft, layer: MetadataLayer, place: MetadataPlace, values: JsonText): void {
  layer.put({ ...place, runId: run.id, values, updatedAt: run.draft.at });
}

/** What shrinks is taken even where a limit was lowered. */
function limitProblem(run: RunDraft, layer: MetadataLayer): MetadataProblem | null {
  const { runMetadataCharsMax, runMetadataMax } = run.draft.state.settings;
  const { chars, count } = layer;
  if (chars > runMetadataCharsMax && chars > run.metadata.chars)
    return tooLarge(
      `Run ${run.id} would have ${chars} characters of metadata; the limit is ${runMetadataCharsMax} (setting runMetadataCharsMax). Keep large values elsewhere and note a reference.`,
    );
  if (count > runMetadataMax && count > run.metadata.count)
    return tooLarge(
      `Run ${run.id} would have ${count} entries of metadata; the limit is ${runMetadataMax} (setting runMetadataMax). Use fewer kinds, or the scope of the run.`,
    );
  return null;
}

function tooLarge(message: string): MetadataProblem {
  return { code: "metadata_too_large", message };
}

/** One entry of the run holds the latest warning: it comes on top of the limits, but never grows. */
function warn(run: RunDraft, message: string): void {
  const before = run.metadata.get(warnings)?.values ?? null;
  const combined = combine(before, "merge", toJsonText({ [warningName]: message }));
  if (!combined.ok || combined.values === null) return;
  const layer = new MetadataLayer(run.metadata);
  put(run, layer, warnings, combined.values);
  run.metadata.take(layer);
}

function targetUnknown(run: RunDraft, { target }: TargetedUpdate): MetadataProblem {
  const { stepId, stepIndex, attempt } = target;
  const index = stepIndex === 0 ? "" : ` (repeat ${stepIndex})`;
  const step = `step "${(stepId ?? "").slice(0, nameCharsShown)}"${index}`;
  const what = attempt === null ? `no ${step}` : `no ${step} with attempt ${attempt}`;
  return {
    code: "metadata_target_not_found",
    message: `Run ${run.id} has ${what}, finished or open. The trace of the run lists its steps.`,
  };
}
