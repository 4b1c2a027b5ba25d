// Hangs spans of user code into the tree of a run: below the attempt of the step, or of the function,
// whose code made them, and below each other as the app nested them. Nothing is left out, whatever the
// spans say. It must not know stores, nor how an API writes a span.
import type { UserSpan } from "@pawl/engine/user-spans";
import { sdkSpanId } from "./sdk-span-id.ts";
import { userSpanPrefix, type Span } from "./trace.ts";

/** Spans of user code that may lie below each other; what is nested deeper hangs where the step is. */
const nestingMax = 40;

/** By how much times of a step, which are ms, may be off those of spans. */
const roundingUs = 500;

/** The tree with the spans in it. `spans`: those of the run that began first ahead. */
export function hangUserSpans(root: Span, spans: readonly UserSpan[]): Span {
  if (spans.length === 0) return root;
  const places = new Places(root, spans);
  const belowSystem = new Map<Span, UserSpan[]>();
  const belowUser = new Map<string, UserSpan[]>();
  for (const span of spans) {
    const parent = places.parentOf(span);
    if (parent === null) pushTo(belowSystem, places.of(span), span);
    else pushTo(belowUser, parent.id, span);
  }
  return withChildren(root, belowSystem, belowUser);
}

function pushTo<K>(lists: Map<K, UserSpan[]>, key: K, span: UserSpan): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [span]);
  else list.push(span);
}

function withChildren(
  span: Span,
  belowSystem: ReadonlyMap<Span, readonly UserSpan[]>,
  belowUser: ReadonlyMap<string, readonly UserSpan[]>,
): Span {
  const own = span.children.map((child) => withChildren(child, belowSystem, belowUser));
  const hung = (belowSystem.get(span) ?? []).map((user) => spanOf(user, span.id, belowUser));
  const children = [...own, ...hung];
  const at = ({ startedAt, queuedAt }: Span): number => startedAt ?? queuedAt;
  // The sort is stable: spans of one ms stay in the order of their microseconds.
  return { ...span, children: hung.length === 0 ? own : children.sort((a, b) => at(a) - at(b)) };
}

function spanOf(
  user: UserSpan,
  parentId: string,
  belowUser: ReadonlyMap<string, readonly UserSpan[]>,
): Span {
  const id = userSpanPrefix + user.id;
  const startedAt = Math.floor(user.startedUs / 1_000);
  return {
    id,
    parentId,
    runId: user.runId,
    name: user.name,
    status: user.failed ? "failed" : "completed",
    op: null,
    stepId: null,
    stepType: null,
    attempts: 0,
    queuedAt: startedAt,
    startedAt,
    endedAt: Math.floor(user.endedUs / 1_000),
    outputId: null,
    opts: null,
    info: null,
    metadata: [],
    user,
    children: (belowUser.get(user.id) ?? []).map((child) => spanOf(child, id, belowUser)),
  };
}

/** Where spans of one run belong. */
class Places {
  readonly #root: Span;
  readonly #steps: ReadonlyMap<string, Span>;
  readonly #users: ReadonlyMap<string, UserSpan>;
  readonly #stepsOfUsers = new Map<UserSpan, Span | null>();
  /** Made when they are first asked for: what ran, and steps by the ids that SDKs suppose. */
  #attempts: readonly Span[] | null = null;
  #bySdkId: ReadonlyMap<string, Span> | null = null;

  constructor(root: Span, spans: readonly UserSpan[]) {
    this.#root = root;
    this.#steps = new Map(
      root.children.flatMap((span) => (span.stepId === null ? [] : [[span.stepId, span] as const])),
    );
    this.#users = new Map(spans.map((span) => [span.id, span]));
  }

  /** The span of user code below which it hangs; null: it hangs at a place of its own. */
  parentOf(span: UserSpan): UserSpan | null {
    const parent = this.#above(span);
    if (parent === null) return null;
    // A chain that comes back to itself, or goes on for too long, is cut.
    let ancestor: UserSpan | null = parent;
    for (let depth = 1; ancestor !== null; depth++) {
      if (depth > nestingMax) return null;
      ancestor = this.#above(ancestor);
    }
    return parent;
  }

  /** The run, step or attempt in which it was made. */
  of(span: UserSpan): Span {
    const step = this.#stepOf(span);
    if (step !== null) return attemptIn(step, span.stepId, span.attempt);
    const { call } = span;
    if (call === null) return this.#root;
    if (call.target === "step") return attemptIn(this.#root, "step", call.attempt);
    const target = this.#steps.get(call.target);
    return target === undefined ? this.#root : attemptIn(target, call.target, call.attempt);
  }

  /** The parent as its app said, unless that is outside of the step in which the span was made. */
  #above(span: UserSpan): UserSpan | null {
    const parent = span.parentId === null ? undefined : this.#users.get(span.parentId);
    if (parent === undefined) return null;
    const step = this.#stepOf(span);
    return step === null || step === this.#stepOf(parent) ? parent : null;
  }

  /** The step in which it was made; null: in none that is known. */
  #stepOf(span: UserSpan): Span | null {
    let step = this.#stepsOfUsers.get(span);
    if (step === undefined) this.#stepsOfUsers.set(span, (step = this.#findStep(span)));
    return step;
  }

  #findStep(span: UserSpan): Span | null {
    const { stepId, stepSpanId } = span;
    if (stepId !== null) return this.#steps.get(stepId) ?? null;
    if (stepSpanId !== null) return this.#sdkIds().get(stepSpanId) ?? null;
    return this.#byTime(span);
  }

  /**
   * Of SDKs that do not tell the step (js 3 between checkpoints): the one step, or attempt, that its call
   * ran while the span went on. Only a span inside of another may lie in a step: the outermost is that
   * of the call. The times of finished steps are the app's own, as those of spans are.
   */
  #byTime({ call, parentId, startedUs, endedUs }: UserSpan): Span | null {
    if (call?.target !== "step" || parentId === null || !this.#users.has(parentId)) return null;
    const around = this.#ran().filter(({ startedAt, endedAt }) => {
      if (startedAt === null || endedAt === null) return false;
      const isBehind = startedUs >= startedAt * 1_000 - roundingUs;
      return isBehind && endedUs <= endedAt * 1_000 + 2 * roundingUs;
    });
    const [only] = around;
    return around.length === 1 && only !== undefined ? only : null;
  }

  /** Attempts of steps that run code of the app; a step that took one attempt stands for it. */
  #ran(): readonly Span[] {
    return (this.#attempts ??= [...this.#steps.values()].flatMap((step) =>
      step.op !== "run" ? [] : step.children.length === 0 ? [step] : step.children,
    ));
  }

  #sdkIds(): ReadonlyMap<string, Span> {
    return (this.#bySdkId ??= new Map(
      [...this.#steps].flatMap(([stepId, span]) => [
        [sdkSpanId(stepId), span] as const,
        ...Array.from(
          { length: span.attempts },
          (_, attempt) =>
            [sdkSpanId(`${stepId}:${String(attempt)}`), attemptIn(span, stepId, attempt)] as const,
        ),
      ]),
    ));
  }
}

/** The attempt among the children of a step or run; itself, if it has none of that number. */
function attemptIn(span: Span, stepId: string | null, attempt: number | null): Span {
  const id = `attempt.${stepId ?? span.stepId ?? ""}.${String(attempt)}`;
  return span.children.find((child) => child.id === id) ?? span;
}
