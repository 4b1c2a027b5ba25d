import assert from "node:assert/strict";
import { test } from "node:test";
import { readRegistration, type RegisteredFunction } from "@pawl/protocol/registration-wire";
import { unenforcedOptions } from "./unenforced.ts";

function registered(
  options: object,
  triggers: readonly object[] = [{ event: "e" }],
): RegisteredFunction {
  const url = "http://localhost:3000/api/pawl?fnId=app-fn&stepId=step";
  const steps = {
    step: { id: "step", name: "step", runtime: { type: "http", url }, retries: { attempts: 3 } },
  };
  const functions = [{ id: "app-fn", name: "fn", triggers, steps, ...options }];
  const body = {
    url,
    deployType: "ping",
    framework: "nodejs",
    appName: "app",
    sdk: "js:v4",
    v: "0.1",
    functions,
  };
  const [fn] = readRegistration(JSON.stringify(body)).functions;
  assert.ok(fn);
  return fn;
}

test("schedules are named, options that have an effect are not", () => {
  const options = { concurrency: { limit: 1 }, Singleton: { mode: "skip" } };
  assert.deepEqual(unenforcedOptions(registered(options, [{ cron: "* * * * *" }])), ["cron"]);
  assert.deepEqual(unenforcedOptions(registered(options)), []);
});
