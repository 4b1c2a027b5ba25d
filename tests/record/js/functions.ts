// The functions of the recorded JavaScript apps, declared once for both major versions of the SDK.
// It must not import an SDK: each app passes its own way of creating functions.
import { setTimeout } from "node:timers/promises";

/** The parts of the SDK's step tools that the recorded functions use; alike in both versions. */
export interface Steps {
  run(id: string | StepOptions, work: () => unknown): Promise<unknown>;
  sleep(id: string, time: string | number): Promise<void>;
  sleepUntil(id: string, time: Date): Promise<void>;
  waitForEvent(
    id: string,
    options: { event: string; timeout: string | number; if?: string; match?: string },
  ): Promise<{ name: string } | null>;
  invoke(
    id: string,
    options: { function: unknown; data?: unknown; timeout?: string | number },
  ): Promise<unknown>;
  sendEvent(id: string, events: unknown): Promise<unknown>;
  waitForSignal(
    id: string,
    options: { signal: string; timeout: string; onConflict: "fail" | "replace" },
  ): Promise<unknown>;
  fetch(url: string, init?: RequestInit): Promise<Response>;
}

export interface StepOptions {
  readonly id: string;
  readonly name?: string;
  readonly parallelMode?: "race";
}

export interface Call {
  readonly event: { readonly data: Record<string, unknown> };
  readonly step: Steps;
}

export interface Trigger {
  readonly event?: string;
  readonly if?: string;
  readonly cron?: string;
}

/** What the apps need from an SDK. `errors` are its error classes. */
export interface Sdk {
  define(
    options: { readonly id: string } & Record<string, unknown>,
    triggers: readonly Trigger[],
    handler: (call: Call) => unknown,
  ): unknown;
  readonly errors: {
    readonly nonRetriable: (message: string) => Error;
    readonly retryAfter: (message: string, after: string) => Error;
  };
}

const nothing = (): null => null;
const order = (): unknown => ({
  order: 7,
  note: "café <b> & “quotes”",
  big: 1e21,
});

/** Creates every recorded function; the returned list is what the app serves. */
export function declareFunctions(sdk: Sdk): unknown[] {
  const result = sdk.define({ id: "result" }, [{ event: "shop/recorded" }], () => order());
  return [
    result,
    sdk.define({ id: "result-null" }, [{ event: "shop/recorded" }], nothing),
    ...configurations(sdk),
    ...stepFunctions(sdk, result),
    ...parallelFunctions(sdk),
    ...failing(sdk),
  ];
}

function configurations({ define }: Sdk): unknown[] {
  return [
    define(
      {
        id: "gated",
        name: "Gated <by> everything & more",
        retries: 2,
        concurrency: [{ limit: 10 }, { limit: 3, key: "event.data.region", scope: "account" }],
        throttle: { limit: 10, period: "1m", burst: 2, key: "event.data.user" },
        priority: { run: "event.data.vip == true ? 120 : 0" },
        cancelOn: [
          { event: "shop/order.cancelled", match: "data.id", timeout: "1h" },
          { event: "shop/withdrawn", if: "event.data.id == async.data.id" },
          { event: "shop/stop" },
        ],
        timeouts: { start: "10s", finish: "36h" },
        onFailure: nothing,
      },
      [
        {
          event: "shop/order.placed",
          if: "event.data.total > 100 && event.data.currency == 'EUR'",
        },
      ],
      nothing,
    ),
    define({ id: "one-at-a-time", concurrency: 1 }, [{ event: "shop/one" }], nothing),
    define(
      { id: "rate-limited", rateLimit: { limit: 4, period: "90s", key: "event.data.user" } },
      [{ event: "shop/viewed" }],
      nothing,
    ),
    define({ id: "idempotent", idempotency: "event.data.id" }, [{ event: "shop/paid" }], nothing),
    define(
      { id: "debounced", debounce: { key: "event.data.user", period: "2s", timeout: "5m" } },
      [{ event: "shop/edited" }],
      nothing,
    ),
    define(
      {
        id: "batched",
        batchEvents: {
          maxSize: 5,
          timeout: "10s",
          key: "event.data.user",
          if: "event.data.vip != true",
        },
      },
      [{ event: "shop/clicked" }],
      nothing,
    ),
    define(
      { id: "single-skip", singleton: { mode: "skip", key: "event.data.user" } },
      [{ event: "shop/imported" }],
      nothing,
    ),
    define(
      { id: "single-cancel", singleton: { mode: "cancel" } },
      [{ event: "shop/imported" }],
      nothing,
    ),
    define({ id: "scheduled" }, [{ cron: "TZ=Europe/Paris 0 12 * * 5" }], nothing),
    define(
      { id: "many-triggers" },
      [{ event: "shop/a" }, { event: "shop/b", if: "event.data.n >= 2" }, { cron: "*/5 * * * *" }],
      nothing,
    ),
  ];
}

function stepFunctions({ define }: Sdk, result: unknown): unknown[] {
  return [
    define({ id: "steps" }, [{ event: "shop/recorded" }], async ({ step }) => {
      const first = await step.run({ id: "load", name: "Load the order" }, order);
      await step.sleep("nap", "26h");
      await step.sleepUntil("until", new Date(Date.now() + 3_600_000));
      const paid = await step.waitForEvent("paid", {
        event: "shop/paid",
        timeout: "3d",
        if: "async.data.id == event.data.id",
      });
      const invoked = await step.invoke("child", {
        function: result,
        data: { a: 1 },
        timeout: "5m",
      });
      const sent = await step.sendEvent("announce", [
        { name: "shop/announced", data: { n: 1 } },
        { name: "shop/announced", data: { n: 2 }, id: "mine-2" },
      ]);
      return { first, paid: paid?.name, invoked, sent };
    }),
    define({ id: "repeats" }, [{ event: "shop/recorded" }], async ({ step }) => {
      const parts: unknown[] = [];
      for (let i = 0; i < 3; i += 1) parts.push(await step.run("same", () => "x"));
      return parts.join("");
    }),
    define({ id: "wait-signal" }, [{ event: "shop/recorded" }], ({ step }) =>
      step.waitForSignal("approval", { signal: "approve-7", timeout: "1m", onConflict: "replace" }),
    ),
    define({ id: "fetches" }, [{ event: "shop/recorded" }], async ({ step }) => {
      const response = await step.fetch("http://127.0.0.1:9/none", {
        method: "POST",
        headers: { "x-a": "1" },
        body: '{"q":1}',
      });
      return response.status;
    }),
    define({ id: "checkpointed", checkpointing: true }, [{ event: "shop/recorded" }], checkpointed),
    define(
      {
        id: "checkpointed-batch",
        checkpointing: { bufferedSteps: 3, maxInterval: "3s", maxRuntime: "60s" },
      },
      [{ event: "shop/recorded" }],
      checkpointed,
    ),
    define(
      { id: "checkpointed-short", checkpointing: { maxRuntime: "50ms" } },
      [{ event: "shop/recorded" }],
      async ({ step }) => {
        const slow = await step.run("slow", () => setTimeout(200, "slow"));
        return [slow, await step.run("b", () => "b")];
      },
    ),
  ];
}

async function checkpointed({ event, step }: Call): Promise<unknown> {
  const a = await step.run("a", order);
  const b = await step.run("b", () => "b <done>");
  if (event.data["sleep"] === true) await step.sleep("nap", "1m");
  if (event.data["fail"] === true) await step.run("c", () => raise(new Error("third step broke")));
  return { a, b };
}

function parallelFunctions({ define }: Sdk): unknown[] {
  const both =
    (race: boolean) =>
    async ({ step }: Call) => {
      const run = (id: string) =>
        step.run(race ? { id, parallelMode: "race" } : id, () => id.replace("-", ""));
      const pair = async (name: string) =>
        `${String(await run(`${name}-1`))}${String(await run(`${name}-2`))}`;
      return Promise.all([pair("a"), pair("b"), step.sleep("nap", "1s")]);
    };
  return [
    define({ id: "parallel" }, [{ event: "shop/recorded" }], both(false)),
    define({ id: "parallel-race" }, [{ event: "shop/recorded" }], both(true)),
  ];
}

function raise(error: Error): never {
  throw error;
}

function failing({ define, errors }: Sdk): unknown[] {
  const trigger = [{ event: "shop/recorded" }];
  const cause = new TypeError("the cause");
  const kinds: Record<string, () => Error> = {
    error: () => new RangeError("card <declined> & lost", { cause }),
    "no-retry": () => errors.nonRetriable("no such card"),
    "retry-after": () => errors.retryAfter("bank is closed", "1h"),
  };
  return [
    ...Object.entries(kinds).flatMap(([kind, make]) => [
      define({ id: `step-${kind}` }, trigger, ({ step }) =>
        step.run("breaks", () => raise(make())),
      ),
      define({ id: `fn-${kind}` }, trigger, () => raise(make())),
    ]),
    define({ id: "caught" }, trigger, async ({ step }) => {
      try {
        return await step.run("breaks", nothing);
      } catch (error) {
        return `caught: ${String(error)}`;
      }
    }),
  ];
}

/** Events sent by `GET /send`. */
export const sentEvents = [
  { name: "shop/sent", data: { n: 1, text: "<é>" } },
  {
    name: "shop/sent",
    data: { n: 2 },
    id: "order-2",
    ts: 1_700_000_000_123,
    user: { id: "u1" },
    v: "2",
  },
];
