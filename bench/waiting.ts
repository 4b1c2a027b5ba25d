// W8: `node bench/waiting.ts [--waiting N] [--samples N]`: what an event costs that one of many
// waiting runs wants. Most runs are put into the store by copying the records of one that a server
// made; then the real server goes on over that store. Prints a table and keeps it in README.md.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildCli } from "../scripts/build/cli.ts";
import { eventNames, type Woken } from "./apps/steps.ts";
import { quantile } from "./lib/statistics.ts";
import { System } from "./lib/system.ts";
import { multiply } from "./lib/waiters.ts";

const { values } = parseArgs({
  options: {
    waiting: { type: "string", default: "100000" },
    samples: { type: "string", default: "500" },
  },
});
const few = 1_000;
const many = Number(values.waiting);
const samples = Math.min(Number(values.samples), few / 2);
const warmUps = 50;
const targetMs = 5;
const marks = ["<!-- W8: written by bench/waiting.ts -->", "<!-- end of W8 -->"] as const;

/** What the runs wait for: one event, or the first of two. */
const kinds = { event: eventNames.waiter, any: eventNames.chooser } as const;
type Kind = keyof typeof kinds;

interface Point {
  readonly waiting: number;
  readonly dispatch: number[];
  readonly complete: number[];
}

await buildCli();
const lines: string[] = [];
for (const kind of ["event", "any"] as const) {
  const points = await measured(kind);
  lines.push(...points.map((point) => lineOf(kind, point)), ratioLine(kind, points));
}
publish(lines);
process.exit(0);

/** Both sizes at once, an event here and an event there, so that other work disturbs both alike. */
async function measured(kind: Kind): Promise<readonly Point[]> {
  const folders: string[] = [];
  const systems: System[] = [];
  const points: Point[] = [];
  try {
    for (const waiting of [few, many]) {
      const folder = mkdtempSync(join(tmpdir(), "pawl-waiting-"));
      folders.push(folder);
      await fill(kind, folder, waiting);
      points.push({ waiting, dispatch: [], complete: [] });
    }
    for (const folder of folders) systems.push(await System.start("pawl", { folder }));
    for (let n = 0; n < warmUps + samples; n++) {
      for (const [index, system] of systems.entries()) {
        const point = points[index];
        if (point === undefined) continue;
        const place = Math.floor((n * point.waiting) / (warmUps + samples));
        const { dispatch, complete } = await wake(system, kind, `key-${place}`);
        if (n < warmUps) continue;
        point.dispatch.push(dispatch);
        point.complete.push(complete);
      }
    }
    return points;
  } finally {
    for (const system of systems) await system.stop();
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  }
}

/** Has one run wait for real, and copies it. */
async function fill(kind: Kind, folder: string, waiting: number): Promise<void> {
  const system = await System.start("pawl", { folder });
  await waitFor(system, () => system.client.send(text(kinds[kind], { key: "key-0" })));
  await system.stop({ keepStore: true });
  const begin = performance.now();
  await multiply(join(folder, "pawl.db"), 1, waiting);
  console.error(`${kind}: ${waiting} wait after ${Math.round(performance.now() - begin)} ms`);
}

/** Resolves when a step has begun to wait. */
async function waitFor(system: System, act: () => Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  system.feed.listener = { onEnd: () => undefined, onWaiting: resolve };
  await act();
  await promise;
  system.feed.mute();
}

/** Times in ms from sending the event to the app being called, and to knowing the run's end. */
async function wake(system: System, kind: Kind, key: string) {
  const { promise, resolve } = Promise.withResolvers<string>();
  system.feed.listener = { onEnd: ({ runId }) => resolve(runId), onWaiting: () => undefined };
  const sentAt = performance.timeOrigin + performance.now();
  await system.client.send(text(eventNames.wake, { key }));
  const runId = await promise;
  const complete = performance.timeOrigin + performance.now() - sentAt;
  const answer = await system.client.get(`/v1/runs/${runId}`);
  const { output } = (answer as { readonly data: { readonly output: Woken } }).data; // proof: its documented shape
  if (output.key !== key) throw new Error(`${kind} ${key} woke ${JSON.stringify(output)}`);
  return { dispatch: output.at - sentAt, complete };
}

function text(name: string, data: object): string {
  return JSON.stringify({ name, data });
}

function lineOf(kind: Kind, { waiting, dispatch, complete }: Point): string {
  const figures = [quantile(dispatch, 0.5), quantile(dispatch, 0.99), quantile(complete, 0.5)];
  return row([kind, waiting.toLocaleString("en"), ...figures.map((ms) => ms.toFixed(2))]);
}

function ratioLine(kind: Kind, [small, large]: readonly Point[]): string {
  const ratio = (q: number): string =>
    (quantile(large?.dispatch ?? [], q) / quantile(small?.dispatch ?? [], q)).toFixed(2);
  return row([kind, "ratio", ratio(0.5), ratio(0.99), ""]);
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function publish(rows: readonly string[]): void {
  const [cpu] = cpus();
  const shown = [
    `- ${new Date().toISOString().slice(0, 16)} UTC, ${samples} events a line, one at a time; ` +
      `${cpus().length} x ${cpu?.model ?? "?"}, Node ${process.version}`,
    "- SQLite WAL, synchronous=FULL: the event, its match and the call's lease are synced in one commit first",
    `- target: p99 to dispatch <= ${targetMs} ms, ratio <= 1.5`,
    "",
    row([
      "waits for",
      "runs waiting",
      "dispatch p50 ms",
      "dispatch p99 ms",
      "known complete p50 ms",
    ]),
    row(["---", "---", "---", "---", "---"]),
    ...rows,
  ].join("\n");
  console.log(shown);
  const file = new URL("README.md", import.meta.url);
  const [before, rest = ""] = readFileSync(file, "utf8").split(marks[0]);
  const [, after = ""] = rest.split(marks[1]);
  writeFileSync(file, `${before}${marks[0]}\n\n${shown}\n\n${marks[1]}${after}`);
}
