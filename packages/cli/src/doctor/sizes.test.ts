// What `pawl doctor` tells about sizes and retention, by the real command on a real store.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { look } from "@pawl/server/http/test-client";
import { toJsonText } from "@pawl/protocol/json-text";
import { eventSample, runSample } from "@pawl/store/contract/samples";
import type { EndedStatus } from "@pawl/engine/records";
import { createSqliteStore } from "@pawl/store-sqlite/sqlite-store";
import { storePath } from "../store-path.ts";
import { bytesText } from "./size-report.ts";

const folder = mkdtempSync(join(tmpdir(), "pawl-doctor-"));
after(() => rmSync(folder, { recursive: true }));

async function doctor(...flags: readonly string[]): Promise<string> {
  const main = new URL("../../bin/pawl.js", import.meta.url).pathname;
  const args = [main, "doctor", "--dir", folder, ...flags];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder });
  return stdout;
}

const hour = 3_600_000;

test("the doctor shows sizes, policies, and what they would remove", async () => {
  const store = createSqliteStore({ path: storePath(folder) });
  const fence = await store.open();
  const now = Date.now();
  const statuses: readonly EndedStatus[] = ["completed", "failed", "completed", "completed"];
  for (const [n, status] of statuses.entries()) {
    const endedAt = now - (n + 1) * hour;
    await store.commit(
      [
        { type: "event.put", event: eventSample(n, { receivedAt: endedAt }), keys: [] },
        { type: "run.put", run: runSample(n, { status, endedAt }) },
        { type: "output.put", runId: runSample(n).id, output: toJsonText("x".repeat(798)) },
      ],
      fence,
    );
  }
  await store.close();

  const policies = ["--retention", "completed.count=2", "--retention", "failed.age=30m"];
  const found: unknown = JSON.parse(await doctor("--json", ...policies));
  const weight = 2 * 200 + 800;
  assert.deepEqual(look(found, "sizes.kinds.completed"), {
    count: 3,
    bytes: 3 * weight,
    oldest: now - 4 * hour,
  });
  assert.equal(look(found, "sizes.kinds.events.count"), 4);
  assert.ok(Number(look(found, "sizes.tableBytes.outputs")) >= 4_096);
  assert.ok(Number(look(found, "sizes.bytes")) > 4_096);
  assert.equal(look(found, "sizes.freeBytes"), 0);
  assert.deepEqual(look(found, "retention.policies.completed"), {
    ageMs: 30 * 24 * hour,
    countMax: 2,
    bytesMax: null,
  });
  assert.deepEqual(look(found, "retention.beyond.0"), {
    of: "completed",
    count: 1,
    bytes: weight,
  });
  assert.deepEqual(look(found, "retention.beyond.1"), { of: "failed", count: 1, bytes: weight });

  const shown = await doctor(...policies);
  assert.match(shown, /completed +3 +3\.5 KiB +\S+Z +30d, 2 +1 \(1\.2 KiB\)/);
  assert.match(shown, /running +0 +0 B +while they go on/);
  assert.match(shown, /outputs +4 +4\.0 KiB/);
  assert.match(shown, /Everything is in order/);
  // The same again: it only looked.
  assert.equal(await doctor(...policies), shown);
});

test("the doctor gives free room back on demand, and loses nothing", async () => {
  const store = createSqliteStore({ path: storePath(folder) });
  const fence = await store.open();
  const ids = Array.from({ length: 300 }, (_, n) => n + 1_000);
  const data = toJsonText("y".repeat(2_000));
  await store.commit(
    ids.map((n) => ({ type: "event.put", event: eventSample(n, { data }), keys: [] }) as const),
    fence,
  );
  await store.commit(
    ids.slice(1).map((n) => ({ type: "event.delete", eventId: eventSample(n).id }) as const),
    fence,
  );
  await store.close();
  const before: unknown = JSON.parse(await doctor("--json"));
  assert.ok(Number(look(before, "sizes.freeBytes")) > 300_000);
  const after: unknown = JSON.parse(await doctor("--json", "--compact"));
  assert.equal(look(after, "sizes.freeBytes"), 0);
  assert.ok(Number(look(after, "sizes.bytes")) < Number(look(before, "sizes.bytes")) - 300_000);
  assert.deepEqual(look(after, "sizes.tables"), look(before, "sizes.tables"));
  assert.deepEqual(look(after, "sizes.kinds"), look(before, "sizes.kinds"));
});

test("sizes are told in the largest unit of which there is one", () => {
  assert.deepEqual([0, 1_023, 1_024, 1_536, 3 * 2 ** 30].map(bytesText), [
    "0 B",
    "1023 B",
    "1.0 KiB",
    "1.5 KiB",
    "3.0 GiB",
  ]);
});
