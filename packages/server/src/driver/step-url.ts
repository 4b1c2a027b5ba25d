// The URL of a call: the registered step URL with `stepId` set in its query and everything else
// left as registered (protocol.md 2.1; Go's `step=step` stays). Taken apart once per function.

const placeholder = "pawlStepIdGoesHere";

export class StepUrl {
  readonly #before: string;
  readonly #after: string;

  /** Throws a TypeError when the registered text is no absolute URL. */
  constructor(registered: string) {
    const url = new URL(registered);
    url.hash = "";
    url.searchParams.set("stepId", placeholder);
    const [before = "", after = ""] = url.href.split(placeholder);
    this.#before = before;
    this.#after = after;
  }

  /** `target`: `step`, or the hashed id of the one step to run. */
  at(target: string): string {
    return this.#before + encodeURIComponent(target) + this.#after;
  }
}
