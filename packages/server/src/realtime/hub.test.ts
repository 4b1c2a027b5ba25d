// Who gets what, what may wait, and who is dropped; without sockets, on a clock turned by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { rest, VirtualClock } from "../loop/testing/virtual-clock.ts";
import { rawFrame, type Frame } from "./frame.ts";
import { Hub } from "./hub.ts";
import { defaultRealtimeLimits, type RealtimeLimits } from "./limits.ts";
import { Subscriber, type Farewell, type Line } from "./subscriber.ts";
import type { Topic } from "./topics.ts";

/** A line that hands nothing on until it is told to. */
class FakeLine implements Line {
  readonly transport = "websocket";
  readonly got: string[] = [];
  readonly waiting: (() => void)[] = [];
  reads = true;
  pings = 0;
  farewell: Farewell | "cut" | null = null;

  send(frame: Frame, done: () => void): void {
    this.got.push(Buffer.from(frame.message).toString());
    if (this.reads) done();
    else this.waiting.push(done);
  }

  ping(): void {
    this.pings += 1;
  }

  close(why: Farewell): void {
    this.farewell = why;
  }

  cut(): void {
    this.farewell = "cut";
  }

  /** Takes all that waits. */
  drain(): void {
    for (const done of this.waiting.splice(0)) done();
  }
}

interface Bench {
  readonly clock: VirtualClock;
  readonly hub: Hub;
  /** How often somebody listened to commits, and does so now. */
  readonly listening: { times: number; now: boolean };
}

function bench(limits: Partial<RealtimeLimits> = {}): Bench {
  const clock = new VirtualClock();
  const listening = { times: 0, now: false };
  const hub = new Hub({
    clock,
    limits: { ...defaultRealtimeLimits, ...limits },
    onListeners: () => {
      listening.times += 1;
      listening.now = true;
      return () => (listening.now = false);
    },
  });
  return { clock, hub, listening };
}

function topic(name: string, channel = "c"): Topic {
  return { kind: "run", channel, name };
}

function joined(hub: Hub, topics: readonly Topic[]): { one: Subscriber; line: FakeLine } {
  const line = new FakeLine();
  const one = new Subscriber(line);
  hub.join(one, topics);
  return { one, line };
}

function publish(hub: Hub, name: string, text: string): number {
  return hub.publish("c", name, () => rawFrame(Buffer.from(text)));
}

test("a message is made once for all who listen, and not at all for nobody", async () => {
  const { hub } = bench();
  const lines = [joined(hub, [topic("a")]).line, joined(hub, [topic("a"), topic("b")]).line];
  let made = 0;
  const frame = (): Frame => {
    made += 1;
    return rawFrame(Buffer.from("x"));
  };
  assert.equal(hub.publish("c", "nobody", frame), 0);
  assert.equal(hub.publish("c", "a", frame), 2);
  await rest();
  assert.equal(made, 1);
  assert.deepEqual(
    lines.map(({ got }) => got),
    [["x"], ["x"]],
  );
});

test("commits are listened to from the first subscriber to the last", () => {
  const { hub, listening } = bench();
  assert.deepEqual(listening, { times: 0, now: false });
  const [first, second] = [joined(hub, [topic("a")]).one, joined(hub, [topic("a")]).one];
  hub.leave(first);
  assert.deepEqual(listening, { times: 1, now: true });
  hub.leave(second);
  hub.leave(second);
  assert.deepEqual(listening, { times: 1, now: false });
  assert.equal(hub.hears("c"), false);
});

test("many deliveries leave the event loop its turns", async () => {
  const { hub } = bench();
  const lines = Array.from({ length: 1_000 }, () => joined(hub, [topic("a")]).line);
  publish(hub, "a", "x");
  await new Promise((resolve) => setImmediate(resolve));
  const served = lines.filter(({ got }) => got.length > 0).length;
  assert.ok(served > 0 && served < 300, String(served));
  for (let turn = 0; turn < 20; turn++) await rest();
  assert.ok(lines.every(({ got }) => got.length === 1));
  assert.equal(hub.counts.waitingBytes, 0);
});

test("a subscriber that stops reading is dropped, and its neighbour gets everything", async () => {
  const { hub } = bench({ subscriberBytesMax: 1_000 });
  const [slow, quick] = [joined(hub, [topic("a")]), joined(hub, [topic("a")])];
  slow.line.reads = false;
  for (let n = 0; n < 20; n++) publish(hub, "a", "x".repeat(100));
  await rest();
  assert.equal(slow.line.farewell, "slow");
  assert.equal(slow.line.got.length, 10);
  assert.equal(quick.line.got.length, 20);
  assert.equal(hub.counts.dropped.slow, 1);
  // What was handed over is still in memory until the connection is gone.
  assert.equal(hub.counts.waitingBytes, 1_000);
  hub.leave(slow.one);
  assert.equal(hub.counts.waitingBytes, 0);
});

test("one message always fits, however small the allowance is", async () => {
  const { hub } = bench({ subscriberBytesMax: 10 });
  const { line } = joined(hub, [topic("a")]);
  line.reads = false;
  publish(hub, "a", "x".repeat(100));
  await rest();
  assert.equal(line.farewell, null);
  line.drain();
  publish(hub, "a", "y".repeat(100));
  await rest();
  assert.equal(line.got.length, 2);
});

test("when too much waits in all, who holds the most is cut off", async () => {
  const { hub } = bench({ waitingBytesMax: 1_000 });
  const [most, little, none] = [
    joined(hub, [topic("a")]),
    joined(hub, [topic("b")]),
    joined(hub, [topic("c")]),
  ];
  most.line.reads = false;
  little.line.reads = false;
  publish(hub, "a", "x".repeat(600));
  publish(hub, "b", "x".repeat(300));
  await rest();
  publish(hub, "c", "x".repeat(200));
  await rest();
  assert.equal(most.line.farewell, "cut");
  assert.equal(little.line.farewell, null);
  assert.equal(none.line.got.length, 1);
  assert.equal(hub.counts.dropped.room, 1);
});

test("a message larger than all that may wait is lost and counted", async () => {
  const { hub } = bench({ waitingBytesMax: 100 });
  const { line } = joined(hub, [topic("a")]);
  assert.equal(publish(hub, "a", "x".repeat(200)), 0);
  await rest();
  assert.deepEqual(line.got, []);
  assert.equal(hub.counts.lost, 1);
});

test("who gives no sign of life for two pings is cut off", async () => {
  const { hub, clock } = bench({ pingMs: 1_000 });
  const [silent, alive] = [joined(hub, [topic("a")]), joined(hub, [topic("a")])];
  for (let n = 0; n < 4; n++) {
    await clock.advance(1_000);
    alive.one.silentPings = 0;
  }
  assert.equal(silent.line.farewell, "cut");
  assert.equal(silent.line.pings, 2);
  assert.equal(alive.line.farewell, null);
  assert.equal(hub.counts.dropped.silent, 1);
});

test("more topics than one may have are not taken, and those it has stay", async () => {
  const { hub } = bench({ topicsMax: 2 });
  const { one, line } = joined(hub, [topic("a")]);
  assert.equal(hub.add(one, [topic("a"), topic("b")]), true);
  assert.equal(hub.add(one, [topic("c")]), false);
  for (const name of ["a", "b", "c"]) publish(hub, name, name);
  await rest();
  assert.deepEqual(line.got, ["a", "b"]);
});

const names = ["a", "b", "c"] as const;
const step = fc.oneof(
  fc.record({ do: fc.constant("join" as const), topics: fc.subarray([...names]) }),
  fc.record({
    do: fc.constantFrom("leave" as const, "stall" as const, "drain" as const),
    who: fc.nat(9),
  }),
  fc.record({
    do: fc.constant("publish" as const),
    name: fc.constantFrom(...names),
    bytes: fc.nat(400),
  }),
  fc.record({ do: fc.constant("rest" as const) }),
);

test("whatever happens, what waits is bounded, and nothing is left when all have gone", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const { hub } = bench({ subscriberBytesMax: 500, waitingBytesMax: 1_500 });
      const all: { one: Subscriber; line: FakeLine; from: number }[] = [];
      const sent: string[] = [];
      for (const each of steps) {
        if (each.do === "join")
          all.push({
            ...joined(
              hub,
              each.topics.map((name) => topic(name)),
            ),
            from: sent.length,
          });
        else if (each.do === "publish") {
          const text = `${each.name}${String(sent.length)} `.padEnd(each.bytes, ".");
          publish(hub, each.name, text);
          sent.push(text);
        } else if (each.do === "rest") await rest();
        else {
          const { one, line } = all[each.who % all.length] ?? {};
          if (one === undefined || line === undefined) continue;
          if (each.do === "leave") hub.leave(one);
          else if (each.do === "stall") line.reads = false;
          else line.drain();
        }
        assert.ok(hub.counts.waitingBytes <= 1_500 && hub.counts.waitingBytes >= 0);
        for (const { one } of all) assert.ok(one.held <= 900);
      }
      await rest();
      for (const { line } of all) {
        const places = line.got.map((text) => sent.indexOf(text));
        assert.deepEqual(
          places,
          [...new Set(places)].toSorted((a, b) => a - b),
        );
      }
      for (const { one } of all) hub.leave(one);
      await rest();
      assert.equal(hub.counts.waitingBytes, 0);
      assert.equal(hub.hears("c"), false);
    }),
    { numRuns: 200 },
  );
});
