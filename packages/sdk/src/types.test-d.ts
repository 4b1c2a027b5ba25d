// What the type checker must infer and must refuse for users of the package. Checked by `tsc`, never
// run. `same` fails to compile unless both types are identical, so that no `any` slips through.
import {
  Pawl,
  referenceFunction,
  type AiModel,
  type FunctionFailedEvent,
  type Middleware,
  type PawlEvent,
  type PawlFunction,
  type ReceivedSignal,
  type ScheduledEvent,
  type StandardSchemaV1,
} from "./pawl.ts";

type Same<A, B> =
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- it makes the checker compare for identity
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

declare function same<A, B>(proof: Same<A, B>): void;
declare function schema<Input, Output = Input>(): StandardSchemaV1<Input, Output>;

interface Order {
  readonly orderId: string;
  readonly at: Date;
}

const pawl = new Pawl({
  id: "shop",
  events: {
    "shop/ordered": schema<Order>(),
    "shop/paid": schema<{ cents: string }, { cents: bigint }>(),
    "shop/ping": schema<{ note?: string }>(),
  },
});

/** Events are typed from their schemas, several triggers give a union. */
pawl.createFunction({ id: "one" }, { event: "shop/ordered" }, ({ event, events }) => {
  same<typeof event, PawlEvent<"shop/ordered", Order>>(true);
  same<typeof event.data.at, Date>(true);
  same<(typeof events)[0], typeof event>(true);
});
pawl.createFunction(
  { id: "two" },
  [
    { event: "shop/ordered" },
    { event: "shop/paid", if: "event.data.cents > 1" },
    { cron: "0 9 * * *" },
  ],
  ({ event }) => {
    same<
      typeof event,
      PawlEvent<"shop/ordered", Order> | PawlEvent<"shop/paid", { cents: bigint }> | ScheduledEvent
    >(true);
    if (event.name === "shop/paid") same<typeof event.data.cents, bigint>(true);
  },
);
pawl.createFunction({ id: "inside", triggers: [{ event: "shop/paid" }] }, ({ event }) => {
  same<typeof event.data, { cents: bigint }>(true);
});
pawl.createFunction({ id: "single", triggers: { cron: "* * * * *" } }, ({ event }) => {
  same<typeof event, ScheduledEvent>(true);
});
pawl.createFunction({ id: "wild" }, { event: "shop/*" }, ({ event }) => {
  same<typeof event, PawlEvent>(true);
});
pawl.createFunction({ id: "internal" }, { event: "inngest/function.failed" }, ({ event }) => {
  same<typeof event, FunctionFailedEvent>(true);
});

// @ts-expect-error no such event
pawl.createFunction({ id: "x" }, { event: "shop/unknown" }, () => 1);
// @ts-expect-error no such event
pawl.createFunction({ id: "x", triggers: [{ event: "shop/unknown" }] }, () => 1);
// @ts-expect-error a misspelt option
pawl.createFunction({ id: "x", retry: 1 }, { event: "shop/paid" }, () => 1);
// @ts-expect-error both triggers and match are no trigger
pawl.createFunction({ id: "x" }, { evnt: "shop/paid" }, () => 1);
// @ts-expect-error events to cancel on are checked, too
pawl.createFunction({ id: "x", cancelOn: [{ event: "nope" }] }, { event: "shop/paid" }, () => 1);

/** Every option of flow control is typed, with durations in each of their forms. */
pawl.createFunction(
  {
    id: "flow",
    retries: 4,
    concurrency: [{ limit: 2 }, { limit: 1, key: "event.data.orderId", scope: "env" }],
    throttle: { limit: 1, period: "1m", burst: 2, key: "event.data.orderId" },
    rateLimit: { limit: 1, period: 60_000 },
    debounce: { period: { total: () => 5_000 }, timeout: "1h" },
    priority: { run: "event.data.vip ? 60 : 0" },
    idempotency: "event.data.orderId",
    cancelOn: [
      { event: "shop/paid", match: "data.orderId", timeout: new Date() },
      { event: "shop/*", if: "async.data.a == event.data.a", timeout: "1d" },
    ],
    timeouts: { start: "1m", finish: "1h" },
    singleton: { mode: "skip", key: "event.data.orderId" },
  },
  [
    { event: "shop/ordered", if: "event.data.a > 1" },
    { cron: "TZ=Europe/Paris 0 9 * * *", jitter: "30s" },
  ],
  () => 1,
);
const on = { event: "shop/ordered" } as const;
const one = { limit: 1 };
// @ts-expect-error at most two limits
pawl.createFunction({ id: "x", concurrency: [one, one, one] }, on, () => 1);
// @ts-expect-error no such scope
pawl.createFunction({ id: "x", concurrency: { limit: 1, scope: "app" } }, on, () => 1);
// @ts-expect-error a period is needed
pawl.createFunction({ id: "x", throttle: { limit: 1 } }, on, () => 1);
// @ts-expect-error a limit is needed
pawl.createFunction({ id: "x", rateLimit: { period: "1m" } }, on, () => 1);
// @ts-expect-error a moment is no period
pawl.createFunction({ id: "x", debounce: { period: new Date() } }, on, () => 1);
// @ts-expect-error a timeout is needed
pawl.createFunction({ id: "x", batchEvents: { maxSize: 5 } }, on, () => 1);
// @ts-expect-error an expression is a text
pawl.createFunction({ id: "x", priority: { run: 5 } }, on, () => 1);
// @ts-expect-error no such mode
pawl.createFunction({ id: "x", singleton: { mode: "wait" } }, on, () => 1);
// @ts-expect-error a misspelt part of an option
pawl.createFunction({ id: "x", timeouts: { end: "1h" } }, on, () => 1);

/** Failure handlers know the event that started the run. */
pawl.createFunction(
  {
    id: "fails",
    onFailure: ({ error, event, originalEvent }) => {
      same<typeof error, Error>(true);
      same<typeof originalEvent, PawlEvent<"shop/ordered", Order>>(true);
      same<typeof event.data.event, PawlEvent<"shop/ordered", Order>>(true);
    },
  },
  { event: "shop/ordered" },
  () => undefined,
);

const square = pawl.createFunction({ id: "square" }, { event: "shop/ping" }, () => 4n);
same<typeof square, PawlFunction<{ note?: string }, bigint>>(true);
const total = pawl.createFunction({ id: "total" }, { event: "shop/ordered" }, async () => ({
  at: new Date(),
  parts: new Map([["a", 1n]]),
}));
const nightly = pawl.createFunction({ id: "nightly" }, { cron: "0 0 * * *" }, () => "done");

/** Steps: types stay as they are, because values survive. */
pawl.createFunction({ id: "steps" }, { event: "shop/ordered" }, async ({ step }) => {
  const ran = await step.run("a", async () => ({ at: new Date(), set: new Set([1]), big: 1n }));
  same<typeof ran, { at: Date; set: Set<number>; big: bigint }>(true);
  const nothing = await step.run("b", () => undefined);
  same<typeof nothing, undefined>(true);
  const added = await step.run(
    { id: "c", name: "Add", retries: 2 },
    (x: number, y: string) => x + y,
    1,
    "2",
  );
  same<typeof added, string>(true);
  // @ts-expect-error an argument is missing
  await step.run("d", (x: number) => x);
  // @ts-expect-error an argument has another type
  await step.run("e", (x: number) => x, "1");

  same<Awaited<ReturnType<typeof step.sleep>>, void>(true);
  await step.sleep("f", { total: () => 5 });
  await step.sleepUntil("g", new Date());
  // @ts-expect-error a duration is needed
  await step.sleep("h", new Date());

  const paid = await step.waitForEvent("i", { event: "shop/paid", timeout: "1h", lookback: "5m" });
  same<typeof paid, PawlEvent<"shop/paid", { cents: bigint }> | null>(true);
  // @ts-expect-error no such event
  await step.waitForEvent("j", { event: "shop/unknown", timeout: "1h" });
  // @ts-expect-error a timeout is needed
  await step.waitForEvent("k", { event: "shop/paid" });

  const first = await step.waitForAny("any", {
    events: {
      paid: { event: "shop/paid", match: "data.orderId" },
      failed: { event: "inngest/function.failed", if: "true" },
    },
    timeout: "1h",
    lookback: false,
  });
  if (first?.name === "paid") {
    same<typeof first.event, PawlEvent<"shop/paid", { cents: bigint }>>(true);
  } else if (first !== null) {
    same<typeof first.name, "failed">(true);
    same<typeof first.event, FunctionFailedEvent>(true);
  }
  const both = await step.waitForAll("all", {
    events: { paid: { event: "shop/paid" }, ping: { event: "shop/ping" } },
    timeout: "1h",
  });
  if (both !== null) {
    same<typeof both.paid, PawlEvent<"shop/paid", { cents: bigint }>>(true);
    same<typeof both.ping.data, { note?: string }>(true);
    // @ts-expect-error no such branch
    void both.gone;
  }
  // @ts-expect-error no such event
  await step.waitForAny("any2", { events: { a: { event: "shop/unknown" } }, timeout: "1h" });
  // @ts-expect-error a timeout is needed
  await step.waitForAll("all2", { events: { a: { event: "shop/paid" } } });

  const approval = await step.waitForSignal<{ by: string }>("sig", { signal: "s", timeout: "1d" });
  same<typeof approval, ReceivedSignal<{ by: string }> | null>(true);
  const unknownData = await step.waitForSignal("sig2", { signal: "s", timeout: 1 });
  same<NonNullable<typeof unknownData>["data"], unknown>(true);
  const gotIt = await step.sendSignal("sig3", { signal: "s", data: { by: "ann" } });
  same<typeof gotIt.runId, string | null>(true);
  // @ts-expect-error there are two ways to settle a conflict
  await step.waitForSignal("sig4", { signal: "s", timeout: 1, onConflict: "wait" });

  const squared = await step.invoke("l", { function: square });
  same<typeof squared, bigint>(true);
  const sum = await step.invoke("m", { function: total, data: { orderId: "1", at: new Date() } });
  same<typeof sum, { at: Date; parts: Map<string, bigint> }>(true);
  // @ts-expect-error the data is needed
  await step.invoke("n", { function: total });
  // @ts-expect-error the data has another type
  await step.invoke("o", { function: total, data: { orderId: 1, at: new Date() } });
  same<Awaited<ReturnType<typeof nightlyRun>>, string>(true);
  const nightlyRun = () => step.invoke("p", { function: nightly });
  await nightlyRun();

  const typed = referenceFunction<typeof total>({ functionId: "total" });
  const referred = await step.invoke("q", {
    function: typed,
    data: { orderId: "1", at: new Date() },
  });
  same<typeof referred, { at: Date; parts: Map<string, bigint> }>(true);
  const untyped = referenceFunction({ appId: "py", functionId: "f" });
  const unknown = await step.invoke("r", { function: untyped, data: { any: "thing" } });
  await step.invoke("r2", { function: untyped });
  same<typeof unknown, unknown>(true);

  const sent = await step.sendEvent("s", { name: "shop/ping", data: {} });
  same<typeof sent.ids, readonly string[]>(true);
  // @ts-expect-error the schema wants `cents`
  await step.sendEvent("t", { name: "shop/paid", data: {} });
});

/** Sending takes what schemas accept, handlers get what schemas yield. */
void pawl.send({ name: "shop/paid", data: { cents: "12" } });
void pawl.send([
  { name: "shop/ping", data: {} },
  { name: "shop/ordered", data: { orderId: "1", at: new Date() }, id: "k", ts: 1 },
]);
// @ts-expect-error what schemas yield is not what they accept
void pawl.send({ name: "shop/paid", data: { cents: 12n } });
// @ts-expect-error no such event
void pawl.send({ name: "other", data: {} });

/** Without schemas every name is allowed, and data must be looked at. */
const open = new Pawl({ id: "open" });
open.createFunction({ id: "f" }, { event: "any/name" }, ({ event }) => {
  same<typeof event, PawlEvent<"any/name">>(true);
  same<(typeof event.data)["x"], unknown>(true);
});
void open.send({ name: "whatever", data: { a: 1 } });

/** Additions of two middlewares compose; the later one wins; hooks see their arguments typed. */
const first: Middleware<{ db: { query(): number }; tag: number }> = {
  name: "first",
  context: (call) => ({ db: { query: () => call.attempt }, tag: 1 }),
};
const both = new Pawl({
  id: "both",
  middleware: [
    first,
    {
      name: "second",
      context: (call) => ({ tag: call.runId, user: { id: 7n } }),
      onStepEnd: (step, outcome) => {
        same<typeof step.id, string>(true);
        if ("error" in outcome) same<typeof outcome.error, unknown>(true);
      },
    },
    { name: "third", transformSend: (events) => events.slice(0, 1) },
  ],
  events: { "shop/ordered": schema<Order>() },
});
both.createFunction(
  {
    id: "f",
    onFailure: ({ user, tag, originalEvent }) => {
      same<typeof user, { id: bigint }>(true);
      same<typeof tag, string>(true);
      same<typeof originalEvent.data, Order>(true);
    },
  },
  { event: "shop/ordered" },
  async ({ event, step, db, tag, user, runId }) => {
    same<typeof event.data, Order>(true);
    same<ReturnType<typeof db.query>, number>(true);
    same<typeof tag, string>(true);
    same<typeof user, { id: bigint }>(true);
    same<typeof runId, string>(true);
    const value = await step.run("a", () => user.id);
    same<typeof value, bigint>(true);
  },
);
both.createFunction({ id: "g" }, { event: "shop/ordered" }, (context) => {
  type Known = keyof typeof context;
  same<Extract<Known, "missing">, never>(true);
  same<Extract<Known, "db" | "user">, "db" | "user">(true);
});

/** Requests by the server: a response of the platform; models carry the types of both sides. */
interface Question {
  readonly prompt: string;
}
interface Reply {
  readonly text: string;
}
declare const model: AiModel<Question, Reply>;
pawl.createFunction({ id: "asks" }, { event: "shop/ping" }, async ({ step }) => {
  const response = await step.fetch("get", "https://a.test", { headers: { a: "b" } });
  same<typeof response, Response>(true);
  const reply = await step.ai.infer("ask", { model, body: { prompt: "Hi" } });
  same<typeof reply, Reply>(true);
  const own = { format: "anthropic", url: "https://a.test", authKey: "k" };
  const plain = await step.ai.infer("own", { model: own, body: { any: 1 } });
  same<typeof plain, unknown>(true);
  const wrapped = await step.ai.wrap("wrap", (n: number) => n, 1);
  same<typeof wrapped, number>(true);
  // @ts-expect-error the model takes another body
  await step.ai.infer("ask", { model, body: { question: "Hi" } });
  // @ts-expect-error a body that cannot be sent
  await step.fetch("get", "https://a.test", { body: { a: 1 } });
});

/** Schedules: events and their data are those of the schemas, functions are typed by their data. */
const weekly = { id: "weekly", cron: "0 9 * * 1", timezone: "Europe/Berlin" } as const;
void pawl.schedules.create({
  ...weekly,
  event: { name: "shop/paid", data: { cents: "12" } },
  overlap: "queue_one",
});
void pawl.schedules.upsert({ id: "often", every: "15m", event: { name: "shop/ping", data: {} } });
void pawl.schedules.update("often", { every: 60_000 });
void pawl.schedules.update("often", { endAt: null, event: { name: "shop/ping", data: {} } });
const counted = pawl.createFunction(
  { id: "counted" },
  { event: "shop/paid" },
  ({ event }) => event.data.cents,
);
void pawl.schedules.create({ ...weekly, function: counted, data: { cents: 1n } });
void pawl.schedules.create({ ...weekly, function: referenceFunction({ functionId: "any" }) });
// @ts-expect-error no such event
void pawl.schedules.create({ ...weekly, event: { name: "shop/gone", data: {} } });
// @ts-expect-error the schema wants `cents`
void pawl.schedules.create({ ...weekly, event: { name: "shop/paid", data: {} } });
// @ts-expect-error each tick has an id of its own
void pawl.schedules.create({ ...weekly, event: { name: "shop/ping", data: {}, id: "x" } });
// @ts-expect-error the function needs its data
void pawl.schedules.create({ ...weekly, function: counted });
// @ts-expect-error an event or a function
void pawl.schedules.create(weekly);
// @ts-expect-error a cron line or an interval
void pawl.schedules.create({ id: "when", event: { name: "shop/ping", data: {} } });
// @ts-expect-error not both
void pawl.schedules.update("often", { every: "1m", cron: "* * * * *" });
