// A journey through many entities, for clusters: events start trees of runs that invoke each other,
// functions with flow control, and functions that listen to the ends of runs. Its outcome says who
// ran how often and with what result, whoever owned what.
import { toJsonText } from "@pawl/protocol/json-text";
import type { Answer } from "@pawl/protocol/answer";
import { invokes } from "@pawl/engine/testing/opcodes";
import type { EventRecord } from "@pawl/engine/records";
import type { Store } from "@pawl/store/store";
import { everyRun } from "@pawl/store/run-filter";
import type { Call } from "../../driver/driver.ts";
import type { CommandInput } from "../batch.ts";
import type { Clock } from "../clock.ts";
import { answered, event, returned, sleeps, syncApp } from "./fixtures.ts";

interface Body {
  readonly event: { readonly name: string; readonly data: Readonly<Record<string, unknown>> };
  readonly steps: Readonly<Record<string, { readonly data?: unknown } | null>>;
}

const trigger = (name: string, expression: string | null = null) => [
  { kind: "event", event: name, expression } as const,
];

/** The app: `tree` invokes itself, `one` runs one at a time, `fresh` once a minute, `audit` listens. */
export function registration(): CommandInput {
  const command = syncApp(["tree", "one", "fresh", "audit"]);
  if (command.type !== "app.synced") throw new Error("another command than `app.synced`");
  const more: Readonly<Record<string, object>> = {
    one: { config: toJsonText({ id: "one", concurrency: 1 }), triggers: trigger("go") },
    fresh: {
      config: toJsonText({ id: "fresh", rateLimit: { limit: 1, period: "1h" } }),
      triggers: trigger("go"),
    },
    audit: { triggers: trigger("inngest/function.finished", "event.data.function_id == 'one'") },
  };
  return { ...command, functions: command.functions.map((fn) => ({ ...fn, ...more[fn.slug] })) };
}

/** An event that starts a tree of runs, and one that starts limited functions. */
export function journeyEvents(number: number, at: number): CommandInput {
  const sent = (name: string): EventRecord => ({
    ...event(name, { path: `${number}`, depth: 2 }),
    id: `01J${name.toUpperCase().slice(0, 2)}${String(number).padStart(21, "0")}`,
    externalId: `${name}-${number}`,
    ts: at,
    receivedAt: at,
  });
  return { type: "events.received", events: [sent("tree"), sent("go")], resendable: false };
}

/** The app that the servers call. */
export class JourneyApp {
  /** Most calls of the function `one` that were out at once. */
  oneAtOnceMax = 0;
  #ones = 0;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  readonly answer = async (call: Call): Promise<Answer> => {
    if (!call.url.includes("fnId=one&")) return answerOf(call);
    this.#ones++;
    this.oneAtOnceMax = Math.max(this.oneAtOnceMax, this.#ones);
    await new Promise<void>((resolve) => this.#clock.after(1_500, resolve));
    this.#ones--;
    return answerOf(call);
  };
}

function answerOf(call: Call): Answer {
  const { event: cause, steps } = JSON.parse(call.body) as Body; // proof: written by `buildCall`
  const slug = new URL(call.url).searchParams.get("fnId");
  if (slug !== "tree") {
    if (slug === "one" && steps["nap"] === undefined) return answered(sleeps("nap", 10));
    return returned(slug);
  }
  const { path, depth } = cause.data;
  if (typeof depth !== "number" || depth === 0) return returned([path]);
  for (const child of ["a", "b"]) {
    if (steps[child] !== undefined) continue;
    const data = toJsonText({ path: `${String(path)}.${child}`, depth: depth - 1 });
    return answered(invokes(child, "tree", { data }));
  }
  return returned([path, steps["a"]?.data, steps["b"]?.data]);
}

/** Every run by function, status and output, sorted; a run too many or too few shows. */
export async function outcomeOf(store: Store): Promise<readonly string[]> {
  const query = { type: "runs", filter: everyRun, behind: null, oldestFirst: true } as const;
  const lines: string[] = [];
  for (const run of await store.list<"runs">({ ...query, limit: 10_000 })) {
    const output = await store.list<"output">({ type: "output", runId: run.id });
    lines.push(`${run.functionId} ${run.status} ${output ?? "-"}`);
  }
  return lines.toSorted();
}
