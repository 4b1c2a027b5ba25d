// Registrations as each SDK sends them (`fixtures/`), and what is refused.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ProtocolError } from "./protocol-error.ts";
import { readInBandSync, readRegistration } from "./registration-wire.ts";

function fixture(name: string): string {
  return readFileSync(new URL(`../fixtures/${name}.json`, import.meta.url), "utf8");
}

const importTrigger = { kind: "event", event: "shop/import", expression: "event.data.n > 1" };

test("the TypeScript SDK, out of band", () => {
  const { functions, checksum, ...app } = readRegistration(fixture("registration-js-4.24"));
  assert.deepEqual(app, {
    appName: "shop",
    url: "http://localhost:3000/api/inngest",
    sdk: "js:v4.24.0",
    framework: "edge",
    platform: null,
    appVersion: null,
    deployId: null,
  });
  assert.match(checksum, /^[0-9a-f]{64}$/);
  assert.deepEqual(
    functions.map(({ config: _config, ...rest }) => rest),
    [
      {
        slug: "shop-import",
        name: "import",
        triggers: [importTrigger, { kind: "cron", cron: "TZ=Europe/Paris 0 9 * * 1" }],
        retries: 2,
        stepUrl: "http://localhost:3000/api/inngest?fnId=shop-import&stepId=step",
      },
      {
        slug: "shop-import-failure",
        name: "import (failure)",
        triggers: [
          {
            kind: "event",
            event: "inngest/function.failed",
            expression: "event.data.function_id == 'shop-import'",
          },
        ],
        retries: 1,
        stepUrl: "http://localhost:3000/api/inngest?fnId=shop-import-failure&stepId=step",
      },
      {
        slug: "shop-plain",
        name: "plain",
        triggers: [],
        retries: null,
        stepUrl: "http://localhost:3000/api/inngest?fnId=shop-plain&stepId=step",
      },
    ],
  );
  assert.ok(functions[0]?.config.endsWith(',"concurrency":[{"limit":2,"key":"event.data.id"}]}'));
});

test("the TypeScript SDK, in band, yields the same functions", () => {
  const inBand = readInBandSync(fixture("in-band-sync-js-4.24"));
  const outOfBand = readRegistration(fixture("registration-js-4.24"));
  assert.deepEqual(inBand.functions, outOfBand.functions);
  assert.equal(inBand.appName, "shop");
  assert.equal(inBand.sdk, "js:v4.24.0");
  assert.equal(inBand.checksum, outOfBand.checksum);
});

test("the Python SDK: appname, and null for what is absent", () => {
  const { appName, sdk, framework, functions } = readRegistration(
    fixture("registration-py-0.5.18"),
  );
  assert.deepEqual(
    { appName, sdk, framework },
    { appName: "shop", sdk: "py:v0.5.18", framework: "flask" },
  );
  assert.deepEqual(
    functions.map(({ slug, triggers, retries }) => ({ slug, triggers, retries })),
    [
      { slug: "shop-import", triggers: [importTrigger], retries: 2 },
      { slug: "shop-nightly", triggers: [{ kind: "cron", cron: "0 3 * * *" }], retries: null },
    ],
  );
});

test("the Go SDK: Singleton, concurrency as an object, step=step URLs, platform in the body", () => {
  const { platform, appVersion, functions } = readRegistration(fixture("registration-go-0.16"));
  assert.deepEqual({ platform, appVersion }, { platform: "fly", appVersion: "7" });
  assert.deepEqual(
    functions.map(({ slug, retries, stepUrl }) => ({ slug, retries, stepUrl })),
    [
      {
        slug: "shop-import",
        retries: 2,
        stepUrl: "http://localhost:3000/api/inngest?fnId=shop-import&step=step",
      },
      {
        slug: "shop-nightly",
        retries: null,
        stepUrl: "http://localhost:3000/api/inngest?fnId=shop-nightly&step=step",
      },
    ],
  );
  assert.ok(functions[0]?.config.includes('"Singleton":{"key":"event.data.id","mode":1}'));
});

test("in band from Python: the SDK's name is composed", () => {
  const body = {
    ...base([]),
    appName: undefined,
    app_id: "shop",
    sdk: undefined,
    sdk_language: "py",
    sdk_version: "0.5.18",
    platform: "render",
    env: null,
  };
  const { sdk, platform, appName } = readInBandSync(JSON.stringify(body));
  assert.deepEqual(
    { sdk, platform, appName },
    { sdk: "py:v0.5.18", platform: "render", appName: "shop" },
  );
});

type Fields = Readonly<Record<string, unknown>>;

function base(functions: readonly unknown[]): Fields {
  return { url: "http://localhost/api", appName: "shop", sdk: "js:v1", functions };
}

function fn(over: Fields = {}): Fields {
  const steps = {
    step: { id: "step", runtime: { type: "http", url: "http://localhost/api?fnId=shop-a" } },
  };
  return { id: "shop-a", name: "a", triggers: [{ event: "a" }], steps, ...over };
}

const checksum = (over: Fields) =>
  readRegistration(JSON.stringify({ ...base([fn()]), ...over })).checksum;

test("the checksum changes with what a sync would change, and with nothing else", () => {
  const before = checksum({});
  assert.equal(
    checksum({ deployId: "x", idempotencyKey: "y", featureObservations: { z: 1 }, v: "2" }),
    before,
  );
  const [one, two] = [fn(), fn({ id: "shop-b" })];
  assert.equal(checksum({ functions: [two, one] }), checksum({ functions: [one, two] }));
  const { id, ...rest } = fn();
  assert.equal(checksum({ functions: [{ ...rest, id }] }), before);
  for (const over of [
    { url: "http://localhost/other" },
    { appVersion: "2" },
    { sdk: "js:v2" },
    { functions: [] },
    { functions: [fn({ throttle: { limit: 1, period: "1s" } })] },
    { functions: [fn({ triggers: [{ event: "b" }] })] },
  ]) {
    assert.notEqual(checksum(over), before, JSON.stringify(over));
  }
});

test("an invoke trigger is left out; keys match without regard to case", () => {
  const text = JSON.stringify(
    base([
      fn({
        triggers: undefined,
        Triggers: [{ Event: "inngest/function.invoked" }, { CRON: "* * * * *" }],
      }),
    ]),
  );
  assert.deepEqual(readRegistration(text).functions[0]?.triggers, [
    { kind: "cron", cron: "* * * * *" },
  ]);
});

test("the configuration is kept as it arrived", () => {
  const config =
    ' { "id":"f", "triggers":[], "steps":{"step":{"runtime":{"url":"http://h/x"}}}, "priority":{ "run" : "1.0" }, "x":1.50 }';
  const text = `{"url":"http://h","appName":"p","functions":[${config} ]}`;
  const [read] = readRegistration(text).functions;
  assert.equal(read?.config, config.trim());
  assert.equal(read?.name, "f");
});

test("refusals name the function and the field", () => {
  const eleven = Array.from({ length: 11 }, (_, index) => ({ event: `e${index}` }));
  const step = (runtime: unknown, retries?: unknown) => ({ steps: { step: { runtime, retries } } });
  const ok = { url: "http://h" };
  const cases: readonly (readonly [Fields, RegExp])[] = [
    [{ id: "" }, /^Function number 0: id: /],
    [{ id: undefined }, /^Function number 0: id: /],
    [{ id: 5 }, /^Function number 0: id: /],
    [{ name: 5 }, /^Function "shop-a": name: /],
    [{ triggers: undefined }, /^Function "shop-a": triggers: /],
    [{ triggers: eleven }, /^Function "shop-a": triggers: .*<=10 items, it has 11$/],
    [{ triggers: [{}] }, /^Function "shop-a": triggers.0: must name an event or a cron line/],
    [{ triggers: [{ event: "" }] }, /^Function "shop-a": triggers.0: must name/],
    [{ triggers: [{ event: "a", cron: "b" }] }, /^Function "shop-a": triggers.0: .*not both/],
    [
      { triggers: [{ cron: "* * * * *", jitter: "soon" }] },
      /^Function "shop-a": triggers.0: the jitter "soon"/,
    ],
    [{ triggers: [{ event: "a" }, { event: "a" }] }, /^Function "shop-a": triggers.1: .*twice/],
    [{ triggers: [{ event: 5 }] }, /^Function "shop-a": triggers.0.event: /],
    [
      { triggers: [{ event: "x".repeat(257) }] },
      /^Function "shop-a": triggers.0.event: .*<=256 characters, it has 257$/,
    ],
    [{ triggers: [{ cron: {} }] }, /^Function "shop-a": triggers.0.cron: /],
    [{ triggers: ["a"] }, /^Function "shop-a": triggers.0: /],
    [{ steps: {} }, /^Function "shop-a": steps: must hold exactly one step/],
    [
      { steps: { a: { runtime: ok }, b: { runtime: ok } } },
      /^Function "shop-a": steps: must hold exactly one/,
    ],
    [step({}), /^Function "shop-a": steps.step.runtime.url: /],
    [step({ url: "ftp://h" }), /^Function "shop-a": steps.step.runtime.url: must be a URL/],
    [step({ url: "http://" }), /^Function "shop-a": steps.step.runtime.url: must be a URL/],
    [
      step(ok, { attempts: 21 }),
      /^Function "shop-a": steps.step.retries.attempts: .*<=20, it is 21$/,
    ],
    [step(ok, { attempts: -1 }), /^Function "shop-a": steps.step.retries.attempts: /],
    [step(ok, { attempts: 1.5 }), /^Function "shop-a": steps.step.retries.attempts: /],
    [{ retries: 21 }, /^Function "shop-a": retries: /],
    [{ concurrency: "5" }, /^Function "shop-a": concurrency: /],
    [{ throttle: 5 }, /^Function "shop-a": throttle: /],
    [{ rateLimit: [] }, /^Function "shop-a": ratelimit: /],
    [{ cancel: [5] }, /^Function "shop-a": cancel/],
    [{ idempotency: 5 }, /^Function "shop-a": idempotency: /],
  ];
  for (const [over, message] of cases) {
    assertInvalid(JSON.stringify(base([fn(over)])), message);
  }
  assertInvalid(JSON.stringify(base([fn(), fn()])), /^Function "shop-a": id: another function/);
  assertInvalid(JSON.stringify(base([5])), /^Function number 0: configuration: /);
});

test("refusals of the app name the field", () => {
  for (const [over, message] of [
    [{ appName: "" }, /^The registration: appname: /],
    [{ appName: undefined }, /^The registration: appname: /],
    [{ url: "localhost" }, /^The registration: url: must be a URL/],
    [{ url: undefined }, /^The registration: url: /],
    [{ functions: undefined }, /^The registration: functions: /],
    [{ functions: {} }, /^The registration: functions: /],
    [{ sdk: 5 }, /^The registration: sdk: /],
  ] as const) {
    assertInvalid(JSON.stringify({ ...base([]), ...over }), message);
  }
  assertInvalid("[]", /must be a JSON object/);
  assert.throws(() => readRegistration("{"), { code: "json_invalid" });
});

function assertInvalid(body: string, message: RegExp): void {
  assert.throws(
    () => readRegistration(body),
    (error) => {
      assert.ok(error instanceof ProtocolError, String(error));
      assert.equal(error.code, "registration_invalid");
      assert.match(error.message, message);
      return true;
    },
    body.slice(0, 300),
  );
}
