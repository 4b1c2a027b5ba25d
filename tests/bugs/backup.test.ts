// Backups as docs/production.md describes them: a copy of the database and its log at one moment of a
// living server, or of the folder of a stopped one, is a store on which everything goes on.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { examine } from "../crash/doctor.ts";
import { PawlServer } from "../support/pawl-server.ts";
import { eventually } from "../support/poll.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import {
  memoOf,
  opcodes,
  returned,
  sleepFor,
  stepRun,
  waitForEvent,
  WireApp,
  type WireCall,
} from "./wire-app.ts";

const waited = "bugs/backup.waited";
const kinds = ["done", "sleeps", "waits", "called"] as const;

interface Subject {
  readonly app: WireApp;
  readonly server: PawlServer;
  /** By kind of run. */
  readonly eventIds: Readonly<Record<(typeof kinds)[number], string>>;
}

/** A server with one run that has ended, one that sleeps, one that waits, and one whose call is out. */
async function startSubject(t: TestContext): Promise<Subject> {
  let isHeld = false;
  const handle = (call: WireCall) => {
    const kind = String(call.event.data["kind"]);
    const memo = memoOf(call, "step");
    if (memo !== undefined) return returned({ kind, memo });
    if (kind === "sleeps") return opcodes(sleepFor("step", 3));
    if (kind === "waits") return opcodes(waitForEvent("step", waited));
    if (kind === "called" && !isHeld) {
      isHeld = true;
      return null;
    }
    return opcodes(stepRun("step", 1));
  };
  const app = await WireApp.start("backup", [{ id: "f", event: "bugs/backup" }], handle);
  t.after(() => app.close());
  const server = await PawlServer.start({ flags: ["--drain-timeout", "1"] });
  t.after(() => server.stop("SIGKILL"));
  await app.register(server.url);
  const [done = "", sleeps = "", waits = "", called = ""] = await server.api.send(
    kinds.map((kind) => ({ name: "bugs/backup", data: { kind } })),
  );
  await server.api.ended(done);
  await eventually("each run has had its call", () =>
    kinds.every((kind) => app.calls.some((call) => call.event.data["kind"] === kind)),
  );
  return { app, server, eventIds: { done, sleeps, waits, called } };
}

/** A server on a copy has all runs, and all of them end. */
async function assertGoesOn(t: TestContext, dir: string, { eventIds }: Subject): Promise<void> {
  const copy = await PawlServer.start({ dir });
  t.after(() => copy.stop("SIGKILL"));
  const { api } = copy;
  const [done] = await api.runsOf(eventIds.done);
  assert.equal(done?.status, "Completed");
  const ended = await Promise.all([
    api.ended(eventIds.sleeps),
    api.endedBySending(eventIds.waits, [{ name: waited }]),
    api.ended(eventIds.called),
  ]);
  assert.deepEqual(
    ended.flat().map(({ status }) => status),
    ["Completed", "Completed", "Completed"],
  );
  assert.equal((await copy.stop()).code, 0);
  const { code, runs, unfinished, output } = await examine(dir);
  assert.deepEqual([code, runs, unfinished], [0, kinds.length, 0], output);
}

function copyFiles(from: string, to: string, names: readonly string[]): void {
  for (const name of names) copyFileSync(join(from, name), join(to, name));
}

test("a snapshot of a living server is a store on which all runs go on", async (t) => {
  const subject = await startSubject(t);
  const { child, dir } = subject.server;
  // A snapshot has both files as they are at one moment: nothing of the process moves meanwhile.
  process.kill(child.pid, "SIGSTOP");
  await eventually("it stands still", () =>
    execFileSync("ps", ["-o", "state=", "-p", String(child.pid)], { encoding: "utf8" })
      .trim()
      .startsWith("T"),
  );
  const to = makeTempDir("backup");
  copyFiles(dir, to, ["pawl.db", "pawl.db-wal"]);
  // The old one is lost, as when a backup is needed.
  await subject.server.stop("SIGKILL");
  await assertGoesOn(t, to, subject);
});

test("the database of a stopped server is a whole backup", async (t) => {
  const subject = await startSubject(t);
  await subject.server.stop("SIGTERM", 60_000);
  const to = makeTempDir("backup");
  copyFiles(subject.server.dir, to, ["pawl.db"]);
  await assertGoesOn(t, to, subject);
});
