// The function that the crash tests run, once for all SDKs: every kind of step, each result seen
// and written down. It must not know which SDK carries it, nor who is killed.
import { randomBytes } from "node:crypto";
import type { EffectLog } from "./effects.ts";

/** The steps of an SDK, as far as the journey takes them. */
export interface StepKit {
  run(id: string, code: () => Promise<string>): Promise<string>;
  sleep(id: string): Promise<unknown>;
  /** The value of the child that it calls. */
  invokeChild(id: string): Promise<string>;
  /** The `key` of the event that was waited for; null when it did not come. */
  waitForGo(id: string): Promise<string | null>;
}

export interface Call {
  readonly runId: string;
  readonly key: string;
  readonly attempt: number;
}

const stepMsMax = 40;
let calls = 0;

/** Where the facts of one call of a handler go. */
export class Trace {
  readonly #log: EffectLog;
  readonly #call: Call;
  readonly #name = `${process.pid}.${++calls}`;

  constructor(log: EffectLog, fn: string, call: Call) {
    this.#log = log;
    this.#call = call;
    log.write({ kind: "called", run: call.runId, fn, key: call.key, call: this.#name });
  }

  /** A step's code: takes a moment, and returns what no other execution returns. */
  async ran(step: string): Promise<string> {
    const { runId: run, attempt } = this.#call;
    const random = randomBytes(8);
    const value = `${step}-${random.toString("hex")}`;
    this.#log.write({ kind: "ran", run, step, attempt, value, call: this.#name });
    await new Promise((resolve) => {
      setTimeout(resolve, ((random[0] ?? 0) / 255) * stepMsMax);
    });
    return value;
  }

  saw(step: string, value: string): string {
    this.#log.write({ kind: "saw", run: this.#call.runId, step, value, call: this.#name });
    return value;
  }
}

/** Steps in a row, in parallel, with sleeps, a child, a wait and a failed attempt. */
export async function journey(kit: StepKit, trace: Trace, call: Call): Promise<string[]> {
  const values: string[] = [];
  const step = async (id: string): Promise<void> => {
    values.push(trace.saw(id, await kit.run(id, () => trace.ran(id))));
  };
  await step("first");
  await step("second");
  await Promise.all([step("left"), step("right"), kit.sleep("nap"), step("middle")]);
  await step("joined");
  values.push(trace.saw("child", await kit.invokeChild("child")));
  const go = await kit.waitForGo("go");
  if (go !== call.key) throw new Error(`waited for ${call.key} and got ${String(go)}`);
  await step("gone");
  const flaky = await kit.run("flaky", async () => {
    const value = await trace.ran("flaky");
    if (call.attempt === 0) throw new Error("the first attempt fails");
    return value;
  });
  values.push(trace.saw("flaky", flaky));
  await step("almost");
  await kit.sleep("rest");
  await step("last");
  return values.toSorted();
}

/** What the journey invokes. */
export async function child(kit: Pick<StepKit, "run">, trace: Trace): Promise<string> {
  trace.saw("inner", await kit.run("inner", () => trace.ran("inner")));
  return trace.saw("outer", await kit.run("outer", () => trace.ran("outer")));
}

/** Names of the steps whose code runs in the app, of a main run and of its child. */
export const codeSteps = {
  main: ["first", "second", "left", "right", "middle", "joined", "gone", "flaky", "almost", "last"],
  child: ["inner", "outer"],
} as const;
