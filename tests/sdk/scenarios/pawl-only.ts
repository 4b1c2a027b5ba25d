// What only our own SDK promises.
import assert from "node:assert/strict";
import { eventually } from "../../support/poll.ts";
import type { Api } from "../../support/api.ts";
import type { ReceivedEvent } from "../app/kit.ts";
import type { Scenario } from "../scenario.ts";
import { messageOf, nothing } from "./helpers.ts";

const only = ["pawl"] as const;

const rich = (): Record<string, unknown> => ({
  date: new Date(1_700_000_000_000),
  map: new Map<unknown, unknown>([
    ["a", 1],
    [{ key: true }, new Set([1n, "two"])],
  ]),
  big: 2n ** 80n,
  nothing: undefined,
  notANumber: Number.NaN,
  bytes: new Uint8Array([0, 128, 255]),
  pattern: /^a+$/giu,
  error: new RangeError("inside", { cause: new Error("deeper") }),
});

/** Values that JSON does not know. */
export const richValues: Scenario = {
  says: "Date, Map, Set, BigInt, Error, bytes and undefined are equal on first run and replay",
  only,
  define: ({ fn, note }) => {
    const echo = fn({ id: "rich-echo" }, { event: "rich/echo" }, ({ event }) => ({
      back: event.data["at"],
      isDate: event.data["at"] instanceof Date,
    }));
    const main = fn({ id: "rich-values" }, { event: "rich/go" }, async ({ step }) => {
      const values = await step.run("make", rich);
      const url = await step.run("url", () => new URL("https://example.com/a?b=c"));
      note("rich", { ...values, url: url.href });
      await step.sleep("replay", "1s");
      const invoked = await step.invoke("invoke", { function: echo, data: { at: new Date(5) } });
      note("rich invoked", invoked);
      return values;
    });
    return [echo, main];
  },
  check: async ({ outputOf, notes }) => {
    await outputOf("rich/go");
    const seen = await notes("rich");
    assert.ok(seen.length >= 2, "noted on the first run and on replays");
    for (const each of seen) {
      assert.deepStrictEqual(withoutStacks(each), {
        ...withoutStacks(rich()),
        url: "https://example.com/a?b=c",
      });
    }
    const invoked = (await notes("rich invoked")).at(-1);
    assert.deepStrictEqual(invoked, { back: new Date(5), isDate: true });
  },
};

function withoutStacks(value: unknown): Record<string, unknown> {
  const { error, ...others } = value as ReturnType<typeof rich>; // proof: made by `rich`
  const { name, message, cause } = error as Error; // proof: made by `rich`
  return { ...others, error: { name, message, cause: (cause as Error).message } }; // proof: made by `rich`
}

type RunWithOptions = (
  options: { id: string; retries: number },
  code: () => unknown,
) => Promise<unknown>;

/** `step.run({ id, retries })`. */
export const stepRetries: Scenario = {
  says: "a step's own retries beat those of its function",
  only,
  define: ({ fn, note }) => [
    fn({ id: "step-retries", retries: 0 }, { event: "step-retries/go" }, async (context) => {
      // proof: this SDK takes options for the id
      const run = context.step.run as unknown as RunWithOptions;
      await run({ id: "twice", retries: 2 }, () => {
        note("step-retries", context.attempt);
        if (context.attempt < 2) throw new Error("again");
      });
      return run({ id: "never", retries: 0 }, () => {
        note("step-retries never");
        throw new Error("no retries");
      }).then(nothing, messageOf);
    }),
  ],
  check: async ({ outputOf, notes }) => {
    assert.equal(await outputOf("step-retries/go"), "no retries");
    assert.deepEqual(await notes("step-retries"), [0, 1, 2]);
    assert.equal((await notes("step-retries never")).length, 1);
  },
};

/** Events from before the wait. */
export const lookback: Scenario = {
  says: "waits look back to the start of the run, unless they say otherwise",
  only,
  define: ({ fn, note }) => [
    fn({ id: "lookback" }, { event: "lookback/go" }, async ({ step, event }) => {
      await step.run("ready", () => note("lookback"));
      await step.waitForEvent("both sent", {
        event: "lookback/sent",
        match: "data.key",
        timeout: "1m",
      });
      await step.sleep("meanwhile", "1s");
      const wait = (id: string, options: object) =>
        step.waitForEvent(id, {
          event: "lookback/reply",
          match: "data.key",
          timeout: "1s",
          ...options,
        });
      const found = await wait("since the start", {});
      const none = await wait("not at all", { lookback: false });
      const short = await wait("a short time", { lookback: "1s" });
      return { key: event.data["key"], found: found?.data["n"], none, short };
    }),
  ],
  check: async ({ api, notes }) => {
    const go = await api.sendOne({ name: "lookback/go", data: { key: "k" } });
    await eventually("the step is done", async () => (await notes("lookback")).length > 0);
    await api.send([
      { name: "lookback/reply", data: { key: "other", n: 1 } },
      { name: "lookback/reply", data: { key: "k", n: 2 } },
      { name: "lookback/sent", data: { key: "k" } },
    ]);
    const [run] = await api.ended(go);
    assert.deepEqual(run?.output, { key: "k", found: 2, none: null, short: null });
  },
};

/** Branches that do not wait for each other. */
export const independentBranches: Scenario = {
  says: "a parallel branch goes on while another one still waits",
  only,
  define: ({ fn }) => [
    fn({ id: "branches" }, { event: "branches/go" }, async ({ step }) => {
      const slow = step.waitForEvent("slow", { event: "branches/fast-is-done", timeout: "1m" });
      const fast = step
        .run("fast 1", () => 1)
        .then(() => step.run("fast 2", () => 2))
        .then((n) => step.sendEvent("fast 3", { name: "branches/fast-is-done", data: { n } }));
      const [event] = await Promise.all([slow, fast]);
      return event?.data["n"];
    }),
  ],
  check: async ({ outputOf }) => {
    assert.equal(await outputOf("branches/go"), 2);
  },
};

/** Middleware that changes what goes in and out. */
export const middlewareOrder: Scenario = {
  says: "middleware transforms arguments and results before they are recorded",
  only,
  define: ({ fn }) => [
    fn({ id: "middleware-order" }, { event: "middleware-order/go" }, async ({ step }) => {
      const first = await step.run("echo", (text: string) => text, "a");
      await step.sleep("replay", "1s");
      return first;
    }),
  ],
  check: async ({ outputOf }) => {
    assert.equal(await outputOf("middleware-order/go"), "<(a)>");
  },
};

interface WaitTools {
  waitForAny(id: string, options: object): Promise<{ name: string; event: ReceivedEvent } | null>;
  waitForAll(id: string, options: object): Promise<Record<string, ReceivedEvent> | null>;
}

/** `step.waitForAny`. */
export const waitingForAny: Scenario = {
  says: "waitForAny returns the first of several events, by its name, also one that came before",
  only,
  define: ({ fn }) => [
    fn({ id: "wait-any" }, { event: "wait-any/go" }, async ({ step }) => {
      const { waitForAny } = step as unknown as WaitTools; // proof: this SDK has it
      const events = {
        paid: { event: "wait-any/paid", match: "data.order" },
        gone: { event: "wait-any/gone", if: "async.data.order == event.data.order" },
      };
      const first = await waitForAny("first", { events, timeout: "1m" });
      await step.sleep("replay", "1s");
      const none = await waitForAny("none", { events, timeout: "1s", lookback: false });
      return { name: first?.name, at: first?.event.data["at"], none };
    }),
  ],
  check: async ({ api }) => {
    for (const [before, names] of [
      [false, ["paid", "gone"]],
      [true, ["gone", "paid"]],
    ] as const) {
      const order = String(before);
      const go = { name: "wait-any/go", data: { order } };
      const events = [
        { name: "wait-any/paid", data: { order: "other" } },
        ...names.map((name) => ({ name: `wait-any/${name}`, data: { order, at: name } })),
      ];
      // In one request the events are there before the run has reached its wait.
      const id = before ? (await api.send([go, ...events]))[0] : await api.sendOne(go);
      if (!before) await untilItWaits(api, id ?? "");
      if (!before) await api.send(events);
      const [run] = await api.ended(id ?? "");
      assert.deepEqual(run?.output, { name: names[0], at: names[0], none: null });
    }
  },
};

/** `step.waitForAll`. */
export const waitingForAll: Scenario = {
  says: "waitForAll returns one event of each, and null when one does not come",
  only,
  define: ({ fn }) => [
    fn({ id: "wait-all" }, { event: "wait-all/go" }, async ({ event, step }) => {
      const { waitForAll } = step as unknown as WaitTools; // proof: this SDK has it
      const events = { a: { event: "wait-all/a" }, b: { event: "wait-all/b", match: "data.key" } };
      const timeout = event.data["inVain"] === true ? "1s" : "1m";
      const got = await waitForAll("both", { events, timeout, lookback: false });
      await step.sleep("replay", "1s");
      return got === null ? null : { a: got["a"]?.data["n"], b: got["b"]?.data["n"] };
    }),
  ],
  check: async ({ api }) => {
    const id = await api.sendOne({ name: "wait-all/go", data: { key: 1 } });
    await untilItWaits(api, id);
    await api.send({ name: "wait-all/b", data: { key: 2, n: 0 } });
    await api.send({ name: "wait-all/b", data: { key: 1, n: 1 } });
    await api.send({ name: "wait-all/a", data: { n: 2 } });
    const [run] = await api.ended(id);
    assert.deepEqual(run?.output, { a: 2, b: 1 });
    const [inVain] = await api.ended(
      await api.sendOne({ name: "wait-all/go", data: { key: 3, inVain: true } }),
    );
    assert.deepEqual([inVain?.status, inVain?.output], ["Completed", null]);
  },
};

async function untilItWaits(api: Api, eventId: string): Promise<void> {
  await eventually("the run waits", async () => {
    const [run] = await api.runsOf(eventId);
    const trace = await api.request("GET", `/v1/runs/${run?.run_id ?? ""}/trace`);
    return JSON.stringify(trace.body).includes("WAIT_FOR_EVENT");
  });
}

/** The client's `sendSignal`, in the code of a step and with values that JSON does not know. */
export const signalValues: Scenario = {
  says: "a signal brings its values back as they were sent",
  only,
  define: ({ fn, note }) => [
    fn({ id: "signal-values" }, { event: "signal-values/go" }, async ({ step }) => {
      const got = await step.waitForSignal("w", {
        signal: "values",
        timeout: "1m",
        onConflict: "fail",
      });
      note("signal-values", got);
    }),
    fn({ id: "signal-values-send" }, { event: "signal-values/send" }, ({ step }) =>
      step.sendSignal("s", { signal: "values", data: { at: new Date(5), set: new Set([1n]) } }),
    ),
  ],
  check: async ({ api, outputOf, notes }) => {
    const waiting = await api.sendOne({ name: "signal-values/go" });
    await eventually("a run got it", async () => {
      const sent = (await outputOf("signal-values/send")) as { runId: string | null }; // proof: what the step returns
      return sent.runId !== null;
    });
    await api.ended(waiting);
    const data = { at: new Date(5), set: new Set([1n]) };
    assert.deepEqual(await notes("signal-values"), [{ signal: "values", data }]);
  },
};
