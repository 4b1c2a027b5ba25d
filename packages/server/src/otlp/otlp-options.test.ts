import assert from "node:assert/strict";
import { test } from "node:test";
import { otlpOptions } from "./otlp-options.ts";

const given = { endpoint: null, headers: [], serviceName: null, queueMax: 5 };

const urls: readonly (readonly [string | null, Record<string, string>, string | null])[] = [
  [null, {}, null],
  ["http://c:4318", {}, "http://c:4318/v1/traces"],
  ["http://c:4318/", {}, "http://c:4318/v1/traces"],
  ["https://c/otlp", {}, "https://c/otlp/v1/traces"],
  ["https://c/otlp/v1/traces?a=1", {}, "https://c/otlp/v1/traces?a=1"],
  [null, { OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:4318" }, "http://c:4318/v1/traces"],
  [null, { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://c/in" }, "http://c/in"],
  [null, { OTEL_EXPORTER_OTLP_ENDPOINT: "http://c", OTEL_SDK_DISABLED: "true" }, null],
  ["http://mine", { OTEL_EXPORTER_OTLP_ENDPOINT: "http://c" }, "http://mine/v1/traces"],
];

test("the collector is named by an option, else by the variables of OpenTelemetry", () => {
  for (const [endpoint, environment, url] of urls)
    assert.equal(otlpOptions({ ...given, endpoint }, environment)?.url ?? null, url);
});

test("headers are percent-encoded; the service has a name; what cannot be used is refused", () => {
  const headers = ["authorization=Bearer%20x=y", "x-a=b"];
  const options = otlpOptions(
    { ...given, endpoint: "http://c", headers },
    { OTEL_SERVICE_NAME: "s" },
  );
  assert.deepEqual(options?.headers, { authorization: "Bearer x=y", "x-a": "b" });
  assert.equal(options?.serviceName, "s");
  assert.equal(otlpOptions({ ...given, endpoint: "http://c" }, {})?.serviceName, "pawl");
  const broken = { ...given, endpoint: "http://c", headers: ["x-secret=50%"] };
  assert.throws(() => otlpOptions(broken, {}), /--otlp-header x-secret .*%25/);
  assert.throws(
    () => otlpOptions(given, { OTEL_EXPORTER_OTLP_ENDPOINT: "collector" }),
    /OTEL_EXPORTER_OTLP_ENDPOINT must be an http or https URL/,
  );
});
