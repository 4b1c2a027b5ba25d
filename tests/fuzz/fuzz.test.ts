// A short fuzz run over every route, in development on the memory store and in production on SQLite.
// `PAWL_FUZZ_SEED` repeats one; `node tests/fuzz/fuzz.ts` runs longer.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fuzz, heapGrowthBytesMax } from "./run.ts";

const given = process.env["PAWL_FUZZ_SEED"];
const seed = given === undefined ? Math.floor(Math.random() * 0x7fff_ffff) : Number(given);

for (const [kind, store] of [
  ["dev", "memory"],
  ["cloud", "sqlite"],
] as const) {
  test(`no request breaks a ${kind} server on ${store} (seed ${String(seed)})`, async () => {
    const outcome = await fuzz({
      seed,
      requests: 1_500,
      kind,
      store,
      only: null,
      parallel: 8,
      tell: () => undefined,
    });
    assert.deepEqual(outcome.faults, []);
    assert.ok(outcome.heapBytesAfter - outcome.heapBytesBefore < heapGrowthBytesMax);
    assert.ok(outcome.routes > 80 && (outcome.answers.get(200) ?? 0) > 100);
  });
}
