// Feeds the recorded registrations of the published SDKs (tests/fixtures), out of band and in
// band, through the readers of `@pawl/protocol`. Needs none of the SDKs.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fromJsonText } from "@pawl/protocol/json-text";
import {
  readInBandSync,
  readRegistration,
  type RegisteredFunction,
  type RegisteredTrigger,
  type Registration,
} from "@pawl/protocol/registration-wire";
import { appNames, fixtureOf, type AppName } from "./fixture-files.ts";

const url = "http://127.0.0.1:3000/api/inngest";
const sdks: Record<AppName, string> = {
  python: "py:v0.5.18",
  go: "go:v0.16.0",
  js3: "js:v3.54.2",
  js4: "js:v4.24.0",
};
const frameworks: Record<AppName, string | null> = {
  python: "fast_api",
  go: null,
  js3: "nodejs",
  js4: "nodejs",
};

function outOfBand(app: AppName, name = "sync.register-1"): Registration {
  return readRegistration(fixtureOf(app, name).request.body);
}

function functionNamed(registration: Registration, id: string): RegisteredFunction {
  const found = registration.functions.find(({ slug }) => slug === `shop-${id}`);
  assert.ok(found, `${id} is not registered`);
  return found;
}

function configOf(registration: Registration, id: string): Record<string, unknown> {
  // proof: a configuration is an object
  return fromJsonText(functionNamed(registration, id).config) as Record<string, unknown>;
}

const on = (event: string, expression: string | null = null): RegisteredTrigger => ({
  kind: "event",
  event,
  expression,
});

const triggers: Record<string, RegisteredTrigger[]> = {
  gated: [on("shop/order.placed", "event.data.total > 100 && event.data.currency == 'EUR'")],
  "rate-limited": [on("shop/viewed")],
  idempotent: [on("shop/paid")],
  debounced: [on("shop/edited")],
  batched: [on("shop/clicked")],
  "single-skip": [on("shop/imported")],
  "single-cancel": [on("shop/imported")],
  scheduled: [{ kind: "cron", cron: "TZ=Europe/Paris 0 12 * * 5" }],
  "many-triggers": [
    on("shop/a"),
    on("shop/b", "event.data.n >= 2"),
    { kind: "cron", cron: "*/5 * * * *" },
  ],
  result: [on("shop/recorded")],
};

/** Only the Go SDK knows jitter. */
const jittered: Record<string, RegisteredTrigger[]> = {
  scheduled: [{ kind: "cron", cron: "TZ=Europe/Paris 0 12 * * 5", jitterMs: 30_000 }],
};

for (const app of appNames) {
  describe(`registration of ${app}`, () => {
    test("the app", () => {
      const { functions: _functions, checksum, ...identity } = outOfBand(app);
      assert.deepEqual(identity, {
        appName: "shop",
        url,
        sdk: sdks[app],
        framework: frameworks[app],
        platform: null,
        appVersion: "1.2.3",
        deployId: null,
      });
      assert.match(checksum, /^[0-9a-f]{64}$/);
    });

    test("triggers, retries and addresses of the functions", () => {
      const registration = outOfBand(app);
      for (const [id, expected] of Object.entries({
        ...triggers,
        ...(app === "go" ? jittered : {}),
      })) {
        const found = functionNamed(registration, id);
        assert.deepEqual(found.triggers, expected, id);
        assert.equal(found.retries, id === "gated" ? 2 : null, id);
        assert.equal(found.name, id === "gated" ? "Gated <by> everything & more" : id);
        const query = app === "go" ? "step=step" : "stepId=step";
        assert.equal(found.stepUrl, `${url}?fnId=shop-${id}&${query}`);
      }
    });

    test("configurations stay as they were written", () => {
      const { body } = fixtureOf(app, "sync.register-1").request;
      const { functions } = outOfBand(app);
      assert.equal(functions.length, { python: 27, go: 28, js3: 29, js4: 31 }[app]);
      for (const { config } of functions) assert.ok(body.includes(config));
    });

    test("in band it is the same as out of band", () => {
      const inBand = readInBandSync(fixtureOf(app, "signed-sync-in-band").response.body);
      const registered = outOfBand(app);
      assert.equal(inBand.appName, "shop");
      assert.equal(inBand.url, url);
      assert.equal(inBand.sdk, sdks[app]);
      assert.equal(inBand.framework, frameworks[app]);
      // Go tells its version out of band only.
      assert.equal(inBand.appVersion, app === "go" ? null : "1.2.3");
      const bySlug = ({ functions }: Registration): unknown[] =>
        functions
          .toSorted((a, b) => (a.slug < b.slug ? -1 : 1))
          .map(({ config, ...rest }) => ({ ...rest, config: fromJsonText(config) }));
      assert.deepEqual(bySlug(inBand), bySlug(registered));
    });

    test("in the cloud it is the same as in development", () => {
      assert.equal(outOfBand(app, "cloud-sync.register-1").checksum, outOfBand(app).checksum);
    });

    test("the checksum does not hang on the order of the functions", () => {
      const { body } = fixtureOf(app, "sync.register-1").request;
      // proof: a registration is an object with functions
      const parsed = JSON.parse(body) as { functions: unknown[] };
      const turned = { ...parsed, functions: parsed.functions.toReversed() };
      assert.equal(readRegistration(JSON.stringify(turned)).checksum, outOfBand(app).checksum);
    });
  });
}

describe("failure handlers", () => {
  for (const app of ["python", "js3", "js4"] as const) {
    test(`of ${app} are functions of their own`, () => {
      const handler = functionNamed(outOfBand(app), "gated-failure");
      assert.equal(handler.name, "Gated <by> everything & more (failure)");
      assert.equal(handler.retries, app === "python" ? 0 : 1);
      assert.deepEqual(handler.triggers, [
        on("inngest/function.failed", "event.data.function_id == 'shop-gated'"),
      ]);
    });
  }
});

test("a deferred function of js4 waits for the events of its deferrals", () => {
  assert.deepEqual(functionNamed(outOfBand("js4"), "deferred").triggers, [
    on("inngest/deferred.schedule", "event.data._inngest.fn_slug == 'shop-deferred'"),
  ]);
});

describe("flow control", () => {
  const step = [{ limit: 10 }, { limit: 3, key: "event.data.region", scope: "account" }];
  const goConcurrency = {
    fn: [{ limit: 5, key: "event.data.tenant", hash: "" }],
    step: [
      { limit: 10, scope: "Fn", hash: "" },
      { limit: 3, key: "event.data.region", scope: "Account", hash: "" },
    ],
  };
  for (const app of appNames) {
    test(`of ${app}`, () => {
      const registration = outOfBand(app);
      const gated = configOf(registration, "gated");
      assert.deepEqual(gated["concurrency"], app === "go" ? goConcurrency : step);
      assert.deepEqual(gated["throttle"], {
        limit: 10,
        period: "1m",
        burst: 2,
        key: "event.data.user",
      });
      assert.deepEqual(gated["priority"], { run: "event.data.vip == true ? 120 : 0" });
      assert.deepEqual(gated["timeouts"], { start: "10s", finish: app === "go" ? "1d12h" : "36h" });
      const rateLimit = {
        limit: 4,
        period: app === "go" ? "1m30s" : "90s",
        key: "event.data.user",
      };
      assert.deepEqual(configOf(registration, "rate-limited")["rateLimit"], rateLimit);
      const period = app === "go" ? "1s500ms" : "2s";
      const debounce = { key: "event.data.user", period, timeout: "5m" };
      assert.deepEqual(configOf(registration, "debounced")["debounce"], debounce);
      assert.deepEqual(configOf(registration, "batched")["batchEvents"], {
        maxSize: 5,
        timeout: "10s",
        key: "event.data.user",
        if: "event.data.vip != true",
      });
      assert.equal(configOf(registration, "idempotent")["idempotency"], "event.data.id");
      const singleton = app === "go" ? "Singleton" : "singleton";
      const skip = { mode: "skip", key: "event.data.user" };
      assert.deepEqual(configOf(registration, "single-skip")[singleton], skip);
      assert.deepEqual(configOf(registration, "single-cancel")[singleton], { mode: "cancel" });
    });
  }
});

describe("deploy ids", () => {
  for (const app of appNames) {
    test(`of ${app} travel in the query`, () => {
      const { request } = fixtureOf(app, "sync-with-deploy-id.register-1");
      assert.equal(request.path, "/fn/register?deployId=deploy-1");
      const registration = readRegistration(request.body);
      const isJs = app === "js3" || app === "js4";
      assert.equal(registration.deployId, isJs ? "deploy-1" : null);
    });
  }
});
