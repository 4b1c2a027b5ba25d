// Contract: searches by expression find what a filter over everything would, page by page, whatever is
// indexed, and however records come and go between the pages.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Change } from "@pawl/engine/changes";
import { compileExpression } from "@pawl/engine/expression/compile";
import { eventValue } from "@pawl/engine/event-value";
import type { EventRecord, RunRecord } from "@pawl/engine/records";
import { eventKeys } from "@pawl/engine/waits/key";
import { toJsonText, type JsonText } from "@pawl/protocol/json-text";
import { encodeUlid } from "@pawl/protocol/ulid";
import { everyRun } from "../run-filter.ts";
import type { ListQuery, ListResults, RunPosition } from "../store.ts";
import { storeTest, Subject, type MakeStore } from "./kit.ts";
import { baseTime, eventSample, runSample, ulidSample } from "./samples.ts";

/** Registers the tests. */
export function searchCases(make: MakeStore, numRuns: number): void {
  eventCases(make);
  runCases(make);
  property(make, numRuns, "a search finds what a filter over all events would", checkSearch);
  property(make, numRuns, "a search finds what a filter over all runs would", checkRunSearch);
}

type Query<T> = Extract<ListQuery, { type: T }>;

const everything = { receivedFrom: null, receivedUntil: null, before: null, at: baseTime } as const;
const paths = ["data.id", "data.ok"];

/** Stored with its keys from `since` on. */
function put(event: EventRecord, since = 0): Change {
  const keys = event.receivedAt >= since ? eventKeys(eventValue(event), paths) : [];
  return { type: "event.put", event, keys };
}

function indexedFrom(event: string, since: number): readonly Change[] {
  return paths.map((path) => ({
    type: "waitPath.put",
    waitPath: { event, path, since, waits: false },
  }));
}

function eventCases(make: MakeStore): void {
  storeTest(
    make,
    "a search stops at its limits and goes on behind the last look",
    async (subject) => {
      for (let n = 1; n <= 9; n++)
        await subject.commit(put(eventSample(n, { data: toJsonText({ id: n % 3 }) })));
      const search = async (expression: string, more: object = {}) => {
        const base = { type: "searchEvents", name: null, limit: 9, scanMax: 99 } as const;
        const query = { ...base, ...everything, expression, ...more };
        const { found, scanned, next } = await subject.store.list(query);
        return [found.map(({ receivedAt }) => receivedAt - baseTime), scanned, next];
      };
      assert.deepEqual(await search("event.data.id == 0"), [[9, 6, 3], 9, null]);
      assert.deepEqual(await search("event.data.id == 0", { limit: 2 }), [
        [9, 6],
        4,
        ulidSample(6),
      ]);
      const rest = { limit: 2, before: ulidSample(6) };
      assert.deepEqual(await search("event.data.id == 0", rest), [[3], 5, null]);
      assert.deepEqual(await search("event.data.id == 0", { scanMax: 2 }), [[9], 2, ulidSample(8)]);
      // A page that ends with the last record says so.
      assert.deepEqual(await search("true", { limit: 9 }), [[9, 8, 7, 6, 5, 4, 3, 2, 1], 9, null]);
      assert.deepEqual(await search("event.data.id / 0"), [[], 9, null]);
      assert.deepEqual(
        await search("true", { receivedFrom: baseTime + 3, receivedUntil: baseTime + 4 }),
        [[4, 3], 2, null],
      );
      assert.deepEqual(await search("true", { name: "nothing" }), [[], 0, null]);
      assert.deepEqual(await search("event.name == 'nothing'"), [[], 0, null]);
    },
  );

  storeTest(
    make,
    "an index is used for what came behind its beginning, and only then",
    async (subject) => {
      const since = baseTime + 6;
      await subject.commit(...indexedFrom("order/created", since));
      for (let n = 1; n <= 9; n++) {
        const event = eventSample(n, { data: toJsonText({ id: n % 2, ok: true }) });
        // Event 6 came in the ms in which the index began, too early for it.
        await subject.commit(put(event, since + 1));
      }
      const search = async (expression: string, name: string | null = "order/created") => {
        const limits = { limit: 99, scanMax: 99 };
        const query = { type: "searchEvents", name, ...limits, ...everything, expression } as const;
        const { found, scanned, next } = await subject.store.list(query);
        assert.equal(next, null);
        return [found.map(({ receivedAt }) => receivedAt - baseTime), scanned];
      };
      const odd = [9, 7, 5, 3, 1];
      // Of the three events behind 6 two have the value; the six up to it are looked at.
      assert.deepEqual(await search("event.data.id == 1"), [odd, 8]);
      assert.deepEqual(await search("1 == event.data.id && event.data.ok"), [odd, 8]);
      assert.deepEqual(await search("event.data.ok == true && event.data.id == 1"), [odd, 8]);
      assert.deepEqual(await search("event.name == 'order/created' && event.data.id == 1", null), [
        odd,
        8,
      ]);
      assert.deepEqual(await search("event.data.id == 1", null), [odd, 9]);
      assert.deepEqual(await search("event.data.id == 1 || event.data.ok == 1"), [odd, 9]);
      assert.deepEqual(await search("event.data.id == 7 && event.data.ok"), [[], 6]);
    },
  );
}

function runCases(make: MakeStore): void {
  const output = (runId: string, text: JsonText): Change => ({
    type: "output.put",
    runId,
    output: text,
  });

  storeTest(
    make,
    "runs are searched by their events, what they came to, and themselves",
    async (subject) => {
      const event = (n: number) => put(eventSample(n, { data: toJsonText({ n }) }));
      await subject.commit(event(1), event(2), event(3));
      await subject.commit(
        { type: "run.put", run: runSample(1, { status: "completed", endedAt: baseTime + 50 }) },
        output(ulidSample(1), toJsonText({ data: { total: 7 } })),
        {
          type: "run.put",
          run: runSample(2, {
            status: "failed",
            endedAt: baseTime + 40,
            eventIds: [2, 3].map(ulidSample),
          }),
        },
        output(ulidSample(2), toJsonText({ error: { message: "no money" } })),
        { type: "run.put", run: runSample(3, { eventIds: [ulidSample(99)] }) },
      );
      const search = async (expression: string, more: object = {}) => {
        const base = {
          type: "searchRuns",
          filter: everyRun,
          behind: null,
          oldestFirst: false,
        } as const;
        const query = { ...base, at: baseTime, limit: 9, scanMax: 99, expression, ...more };
        const { found, scanned, next } = await subject.store.list(query);
        return [found.map(({ queuedAt }) => queuedAt - baseTime), scanned, next];
      };
      assert.deepEqual(await search("event.data.n == 1"), [[1], 3, null]);
      assert.deepEqual(await search("event.data.n >= 2"), [[2], 3, null]);
      assert.deepEqual(await search("output.total == 7"), [[1], 3, null]);
      assert.deepEqual(await search("output.message.contains('money')"), [[2], 3, null]);
      assert.deepEqual(await search("run.status == 'QUEUED'"), [[3], 3, null]);
      assert.deepEqual(
        await search(`run.ended_at == ${baseTime + 40} && run.id == '${ulidSample(2)}'`),
        [[2], 3, null],
      );
      assert.deepEqual(await search("true", { oldestFirst: true, limit: 2 }), [
        [1, 2],
        2,
        { at: 0, runId: ulidSample(2) },
      ]);
      const ended = { filter: { ...everyRun, by: "endedAt" }, scanMax: 1 };
      const place = { at: baseTime + 50, runId: ulidSample(1) };
      assert.deepEqual(await search("true", ended), [[1], 1, place]);
      assert.deepEqual(await search("true", { ...ended, behind: place }), [[2], 1, null]);
    },
  );

  storeTest(make, "pages of found runs are whole while runs come and go", async (subject) => {
    const run = (n: number) => runSample(n, { id: encodeUlid(baseTime + n, 0, 0, n) });
    const changes: Change[] = [];
    for (let n = 0; n < 600; n += 2) {
      changes.push(put(eventSample(n, { data: toJsonText({ n }) })));
      changes.push({ type: "run.put", run: run(n) });
    }
    await subject.commit(...changes);
    const seen: RunRecord[] = [];
    let behind: RunPosition | null = null;
    for (let page = 0; page === 0 || behind !== null; page++) {
      const query: Query<"searchRuns"> = {
        type: "searchRuns",
        filter: everyRun,
        expression: "int(event.data.n) % 10 == 0",
        behind,
        oldestFirst: false,
        at: baseTime,
        limit: 7,
        scanMax: 50,
      };
      const { found, next }: ListResults["searchRuns"] =
        await subject.store.list<"searchRuns">(query);
      seen.push(...found);
      behind = next;
      // What the page ended with goes, and one comes at the front.
      if (next !== null) await subject.commit({ type: "run.delete", runId: next.runId });
      await subject.commit({ type: "run.put", run: run(1_001 + 2 * page) });
    }
    const numbers = seen.map(({ queuedAt }) => queuedAt - baseTime);
    assert.deepEqual(
      numbers,
      Array.from({ length: 60 }, (_, index) => 590 - 10 * index),
    );
  });

  storeTest(make, "runs are looked up by the index when it has all events", async (subject) => {
    await subject.commit(...indexedFrom("order/created", baseTime));
    const changes: Change[] = [];
    for (let n = 1; n <= 9; n++) {
      changes.push(put(eventSample(n, { data: toJsonText({ id: n % 3 }) }), baseTime + 1));
      const eventIds = n === 9 ? [9, 8].map(ulidSample) : [ulidSample(n)];
      changes.push({ type: "run.put", run: runSample(n + 20, { eventIds, appId: `a${n % 2}` }) });
    }
    await subject.commit(...changes);
    const search = async (id: number, more: object = {}) => {
      const base = {
        type: "searchRuns",
        filter: everyRun,
        behind: null,
        oldestFirst: false,
      } as const;
      const expression = `event.name == 'order/created' && event.data.id == ${id}`;
      const query = { ...base, at: baseTime, limit: 9, scanMax: 9, expression, ...more };
      const { found, scanned, next } = await subject.store.list(query);
      return [found.map(({ queuedAt }) => queuedAt - baseTime - 20), scanned, next?.runId ?? null];
    };
    assert.deepEqual(await search(0), [[9, 6, 3], 3, null]);
    assert.deepEqual(await search(2), [[9, 8, 5, 2], 4, null]);
    assert.deepEqual(await search(0, { limit: 2 }), [[9, 6], 2, ulidSample(26)]);
    const behind = { at: 0, runId: ulidSample(26) };
    assert.deepEqual(await search(0, { behind }), [[3], 1, null]);
    assert.deepEqual(await search(0, { oldestFirst: true }), [[3, 6, 9], 3, null]);
    const filter = { ...everyRun, appIds: ["a0"] };
    assert.deepEqual(await search(0, { filter }), [[6], 1, null]);
    // Too many for one page: the walk finds them too.
    assert.deepEqual(await search(0, { scanMax: 2 }), [[9], 2, ulidSample(28)]);
    // An event that came before the index began.
    await subject.commit(put(eventSample(0, { data: toJsonText({ id: 0 }) }), baseTime + 1));
    await subject.commit({ type: "run.put", run: runSample(40, { eventIds: [ulidSample(0)] }) });
    assert.deepEqual(await search(0, { scanMax: 99 }), [[20, 9, 6, 3], 10, null]);
  });
}

const value = fc.constantFrom<unknown>(0, 1, 1.5, "0", "a", true, false, null, {}, [1]);
const anEvent = fc.record({
  name: fc.constantFrom("a", "b"),
  id: value,
  ok: value,
  gap: fc.nat(2),
});
const demand = fc.constantFrom(
  "event.data.id == 1",
  "event.data.id == '0'",
  "'a' == event.data.id",
  "event.data.ok == true",
  "event.data.ok == null",
  "event.data.id == event.data.ok",
  "event.name == 'a'",
  "event.data.id != 0",
  "has(event.data.id)",
);
const aSearch = fc.record({
  events: fc.array(anEvent, { maxLength: 30 }),
  since: fc.option(fc.nat(30)),
  demands: fc.array(demand, { minLength: 1, maxLength: 3 }),
  joint: fc.constantFrom(" && ", " || "),
  name: fc.constantFrom(null, "a", "b"),
  from: fc.option(fc.nat(30)),
  until: fc.option(fc.nat(30)),
  limit: fc.integer({ min: 1, max: 5 }),
  scanMax: fc.integer({ min: 1, max: 12 }),
  arrivals: fc.boolean(),
});

type ASearch = typeof aSearch extends fc.Arbitrary<infer T> ? T : never;

function eventsOf({ events }: ASearch): readonly EventRecord[] {
  let receivedAt = baseTime;
  return events.map(({ name, id, ok, gap }, n) => {
    receivedAt += gap;
    return eventSample(n, { name, receivedAt, data: toJsonText({ id, ok }) });
  });
}

/** Writes the events, those of name `a` indexed from `since` on. */
async function arrange(subject: Subject, given: ASearch): Promise<readonly EventRecord[]> {
  const since = given.since === null ? null : baseTime + given.since;
  const events = eventsOf(given);
  if (since !== null) await subject.commit(...indexedFrom("a", since));
  const changes = events.map((event) =>
    put(event, since !== null && event.name === "a" ? since : Number.MAX_SAFE_INTEGER),
  );
  await subject.commit(...changes);
  return events;
}

async function checkSearch(subject: Subject, given: ASearch): Promise<void> {
  const { name, from, until, limit, scanMax } = given;
  const events = await arrange(subject, given);
  const expression = given.demands.join(given.joint);
  const receivedFrom = from === null ? null : baseTime + from;
  const receivedUntil = until === null ? null : baseTime + until;
  const compiled = compileExpression(expression);
  const expected = events
    .filter(
      (event) =>
        (name === null || event.name === name) &&
        (receivedFrom === null || event.receivedAt >= receivedFrom) &&
        (receivedUntil === null || event.receivedAt <= receivedUntil) &&
        compiled.test({ event: eventValue(event) }, baseTime),
    )
    .toReversed();
  const seen: EventRecord[] = [];
  let before: string | null = null;
  for (let page = 0; page === 0 || before !== null; page++) {
    const query: Query<"searchEvents"> = {
      type: "searchEvents",
      expression,
      at: baseTime,
      limit,
      scanMax,
      before,
      name,
      receivedFrom,
      receivedUntil,
    };
    const { found, scanned, next }: ListResults["searchEvents"] =
      await subject.store.list<"searchEvents">(query);
    assert.ok(found.length <= limit && scanned <= scanMax && found.length <= scanned);
    seen.push(...found);
    before = next;
    if (given.arrivals && page < 3) {
      const late = {
        name: "a",
        receivedAt: baseTime + 1_000,
        data: toJsonText({ id: 1, ok: true }),
      };
      await subject.commit(put(eventSample(100 + page, late)));
    }
  }
  assert.deepEqual(
    seen.map(({ id }) => id),
    expected.map(({ id }) => id),
  );
}

/** Run `n` was started by events `n` and `n + 1`; the runs are in another order than the events. */
async function checkRunSearch(subject: Subject, given: ASearch): Promise<void> {
  const { limit, scanMax, arrivals: oldestFirst } = given;
  const events = await arrange(subject, given);
  const runs = events.map((event, n) => {
    const eventIds = [event, ...events.slice(n + 1, n + 2)].map(({ id }) => id);
    return runSample(900 - n, { eventIds, status: n % 3 === 0 ? "running" : "queued" });
  });
  await subject.commit(...runs.map((run) => ({ type: "run.put", run }) as const));
  const demands = given.name === null ? given.demands : [...given.demands, `event.name == 'a'`];
  const expression = demands.join(given.joint);
  const compiled = compileExpression(expression);
  const passes = (run: RunRecord): boolean =>
    events
      .filter(({ id }) => run.eventIds.includes(id))
      .some((event) => compiled.test({ event: eventValue(event) }, baseTime));
  const expected = runs
    .filter((run) => run.status === "queued" && passes(run))
    .map(({ id }) => id)
    .sort();
  const seen: string[] = [];
  let behind: RunPosition | null = null;
  for (let page = 0; page === 0 || behind !== null; page++) {
    const query: Query<"searchRuns"> = {
      type: "searchRuns",
      filter: { ...everyRun, statuses: ["queued"] },
      expression,
      at: baseTime,
      limit,
      scanMax,
      behind,
      oldestFirst,
    };
    const { found, next }: ListResults["searchRuns"] =
      await subject.store.list<"searchRuns">(query);
    seen.push(...found.map(({ id }) => id));
    behind = next;
  }
  assert.deepEqual(seen, oldestFirst ? expected : expected.toReversed());
}

function property(
  make: MakeStore,
  numRuns: number,
  title: string,
  check: (subject: Subject, given: ASearch) => Promise<void>,
): void {
  test(title, async () => {
    await fc.assert(
      fc.asyncProperty(aSearch, async (given) => {
        const made = await make();
        try {
          await check(new Subject(made, await made.store.open()), given);
        } finally {
          await made.cleanup();
        }
      }),
      { numRuns },
    );
  });
}
