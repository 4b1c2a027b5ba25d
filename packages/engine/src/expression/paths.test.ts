// Paths that expressions read, and pruning to them.
import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { compileExpression } from "./compile.ts";
import { formatPath, parsePath, prune, readPaths, valueAt } from "./paths.ts";

function paths(source: string, root = "event"): unknown {
  const found = readPaths(compileExpression(source), root);
  return found === "all" ? found : found.map(formatPath);
}

test("the paths below a root, each once", () => {
  const source =
    "event.data.userId == async.data.userId && event.name != '' || event.data.userId == 'x'";
  assert.deepEqual(paths(source), ["data.userId", "name"]);
  assert.deepEqual(paths(source, "async"), ["data.userId"]);
  assert.deepEqual(paths(source, "steps"), []);
});

test("a path ends where an index or a call begins", () => {
  assert.deepEqual(paths("event.data.items[0].sku"), ["data.items"]);
  assert.deepEqual(paths("event.data[async.name].x"), ["data"]);
  assert.deepEqual(paths("event.data['odd key'].x"), ['data["odd key"].x']);
  assert.deepEqual(paths("size(event.data.tags) > 0 && has(event.data.x)"), [
    "data.tags",
    "data.x",
  ]);
  assert.deepEqual(paths("event.data.?x.orValue(event.ts)"), ["data.x", "ts"]);
});

test("the root itself is everything", () => {
  assert.equal(paths("event == async"), "all");
  assert.equal(paths("cel.bind(e, event, e.data.x)"), "all");
  assert.equal(paths("event[0]"), "all");
});

test("a macro's variable hides a root of the same name", () => {
  assert.deepEqual(paths("async.data.items.all(event, event.x == 1)"), []);
  assert.deepEqual(paths("event.data.items.all(event, event.x == 1) && event.y"), [
    "data.items",
    "y",
  ]);
});

test("pruning keeps what is read and nothing else", () => {
  const event = { name: "n", data: { a: { b: 1, c: 2 }, list: [{ x: 1 }], gone: null, other: 5 } };
  const kept = prune(event, [
    ["data", "a", "b"],
    ["data", "list"],
    ["data", "gone"],
    ["data", "missing"],
    ["name", "x"],
  ]);
  assert.deepEqual(kept, { name: "n", data: { a: { b: 1 }, list: [{ x: 1 }], gone: null } });
  assert.deepEqual(prune(event, [["data"], ["data", "a"]]), { data: event.data });
  assert.deepEqual(prune(event, []), {});
  assert.equal(prune(event, "all"), event);
  assert.equal(prune("text", [["a"]]), "text");
});

test("a path reads back as it was written", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("a", "a.b", "x_1", '"', "][")),
      ),
      (path) => {
        assert.deepEqual(parsePath(formatPath(path)), path);
      },
    ),
  );
  for (const text of ["a..b", "a b", '["open', '["\\q"]', "a[0]"])
    assert.equal(parsePath(text), undefined, text);
});

test("a value is found through own members of objects only", () => {
  assert.equal(valueAt({ a: { "b.c": 1 } }, ["a", "b.c"]), 1);
  assert.equal(valueAt({ a: [1] }, ["a", "length"]), undefined);
  assert.equal(valueAt({ a: {} }, ["a", "constructor"]), undefined);
});
