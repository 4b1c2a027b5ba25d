// Names one input and output within a run, in the form that people and APIs hand around:
// `<runId>.run`, `<runId>.step.<stepId>` or `<runId>.attempt.<stepId>.<attempt>`. It must not know
// what is stored under them.

/** What an output id names. */
export type OutputPlace =
  | { readonly kind: "run"; readonly runId: string }
  | { readonly kind: "step"; readonly runId: string; readonly stepId: string }
  | {
      readonly kind: "attempt";
      readonly runId: string;
      /** `step` for the function itself. */
      readonly stepId: string;
      /** Zero-based. */
      readonly attempt: number;
    };

/** The id of a place. */
export function outputIdOf(place: OutputPlace): string {
  switch (place.kind) {
    case "run":
      return `${place.runId}.run`;
    case "step":
      return `${place.runId}.step.${place.stepId}`;
    case "attempt":
      return `${place.runId}.attempt.${place.stepId}.${String(place.attempt)}`;
  }
}

/** The place of an id; null for a text that is none. */
export function placeOfOutputId(outputId: string): OutputPlace | null {
  const [, runId = "", rest = ""] = /^([^.]+)\.(.+)$/s.exec(outputId) ?? [];
  if (rest === "run") return { kind: "run", runId };
  if (rest.startsWith("step.")) return { kind: "step", runId, stepId: rest.slice(5) };
  const [, stepId = "", attempt = ""] = /^attempt\.(.+)\.(\d{1,9})$/s.exec(rest) ?? [];
  return stepId === "" ? null : { kind: "attempt", runId, stepId, attempt: Number(attempt) };
}
