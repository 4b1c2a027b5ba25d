// What the two transports make of the hub's wishes, with time turned by hand.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { assertJson } from "@pawl/protocol/json-span";
import { look } from "../http/test-client.ts";
import { rest, VirtualClock } from "../loop/testing/virtual-clock.ts";
import { EventCutter, TextCutter } from "./cutters.ts";
import { frameOf, rawFrame } from "./frame.ts";
import { Hub } from "./hub.ts";
import { defaultRealtimeLimits } from "./limits.ts";
import { subscribeEvents } from "./sse-line.ts";
import type { Topic } from "./topics.ts";

const topics: readonly Topic[] = [{ kind: "run", channel: "c", name: "t" }];

suite("an event stream", () => {
  function opened() {
    const clock = new VirtualClock();
    const limits = { ...defaultRealtimeLimits, streamMs: 100_000, pingMs: 30_000 };
    const hub = new Hub({ limits, clock, onListeners: () => () => undefined });
    const { body, cut } = subscribeEvents({ hub, limits, clock }, topics);
    assert.ok(typeof body !== "string" && !(body instanceof Uint8Array));
    const pieces = body[Symbol.asyncIterator]();
    const next = async (): Promise<unknown> => {
      const piece = await pieces.next();
      if (piece.done === true) return "over";
      const [, json = ""] = /^data: (.*)\n\n$/.exec(Buffer.from(piece.value).toString()) ?? [];
      return JSON.parse(json);
    };
    return { clock, hub, next, pieces, cut };
  }

  test("gets pings, and at the end of its time a goodbye", async () => {
    const { clock, hub, next } = opened();
    const got: unknown[] = [];
    const reading = (async () => {
      for (let one = await next(); one !== "over"; one = await next()) got.push(one);
    })();
    await clock.advance(100_000);
    await reading;
    const kinds = got.map((message) => look(message, "kind"));
    assert.deepEqual(kinds, ["ping", "ping", "ping", "closing"]);
    assert.equal(look(got[3], "data.code"), 4000);
    assert.equal(hub.counts.subscribers.sse, 0);
  });

  test("that takes nothing for two pings is cut", async () => {
    const { clock, hub, cut } = opened();
    await clock.advance(95_000);
    assert.equal(cut?.aborted, true);
    assert.equal(hub.counts.dropped.silent, 1);
  });

  test("leaves nothing behind when its reader goes", async () => {
    const { hub, pieces } = opened();
    hub.publish("c", "t", () => rawFrame(Buffer.from("x")));
    await rest();
    await pieces.return?.();
    assert.equal(hub.counts.subscribers.sse, 0);
    assert.equal(hub.counts.waitingBytes, 0);
  });
});

suite("cutting", () => {
  test("text is cut between characters, whatever pieces it comes in", () => {
    const text = "aé€😀".repeat(500);
    const bytes = Buffer.from(text);
    for (const size of [1, 3, 7, 1_000, 10_000]) {
      const chunks: string[] = [];
      const cutter = new TextCutter(1_024, (chunk) => chunks.push(chunk));
      for (let at = 0; at < bytes.length; at += size) cutter.take(bytes.subarray(at, at + size));
      cutter.end();
      assert.equal(chunks.join(""), text);
      assert.ok(chunks.every((chunk) => chunk !== "" && Buffer.byteLength(chunk) <= 1_024));
    }
  });

  test("bytes that are no text are replaced, not lost", () => {
    const chunks: string[] = [];
    const cutter = new TextCutter(16, (chunk) => chunks.push(chunk));
    cutter.take(Uint8Array.of(0x61, 0xff, 0x62, 0xe2, 0x82));
    cutter.end();
    assert.equal(chunks.join(""), "a\ufffdb\ufffd");
  });

  test("events pass whole, bytes without events in pieces", () => {
    const passed: string[] = [];
    const cutter = new EventCutter((bytes) => passed.push(Buffer.from(bytes).toString()));
    for (const piece of ["data: 1\n", "\ndata: 2\n\ndata:", " 3\n\n"])
      cutter.take(Buffer.from(piece));
    assert.deepEqual(passed.splice(0), ["data: 1\n\ndata: 2\n\n", "data: 3\n\n"]);
    cutter.take(Buffer.alloc(20_000, "x"));
    assert.equal(passed.splice(0).join("").length, 20_000);
    cutter.take(Buffer.from("tail"));
    assert.deepEqual(passed, []);
    cutter.end();
    assert.deepEqual(passed, ["tail"]);
  });
});

test("a frame has no line breaks, and one buffer for both transports", () => {
  const data = frameOf({ kind: "data", data: assertJson('{\r\n"a":\n1}'), createdAt: 0 });
  const event = Buffer.from(data.event).toString();
  assert.match(event, /^data: [^\r\n]*\n\n$/);
  assert.equal(event, `data: ${Buffer.from(data.message).toString()}\n\n`);
  assert.equal(data.event.buffer, data.message.buffer);
});
