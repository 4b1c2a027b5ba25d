// Which ports and paths are searched for apps, and when again; ports are made up but for one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { appUrlKey, localPort } from "./app-url.ts";
import { createDiscovery, isPortOpen, usualPorts } from "./discovery.ts";
import { startAppStub } from "./app-stub.ts";

test("apps are found at the usual paths of open ports that are not known", async () => {
  const asked: string[] = [];
  const search = createDiscovery({
    ports: [3000, 3001, 3002, 8000],
    knownPorts: () => new Set([3002]),
    isOpen: (port) => Promise.resolve(port !== 8000),
    isApp: (url) => {
      asked.push(url);
      return Promise.resolve(url === "http://localhost:3001/api/pawl");
    },
    now: () => 0,
    coolDownMs: 10,
  });
  assert.deepEqual(await search(), ["http://localhost:3001/api/pawl"]);
  assert.equal(
    asked.some((url) => url.includes(":3002") || url.includes(":8000")),
    false,
  );
});

test("a port that serves something else is left alone for a while", async () => {
  let now = 0;
  let asked = 0;
  const search = createDiscovery({
    ports: [5000],
    knownPorts: () => new Set(),
    isOpen: () => Promise.resolve(true),
    isApp: () => Promise.resolve((asked += 1) < 0),
    now: () => now,
    coolDownMs: 30_000,
  });
  await search();
  const once = asked;
  now = 29_999;
  await search();
  assert.equal(asked, once);
  now = 30_001;
  await search();
  assert.equal(asked, once * 2);
});

test("a server that restarts is asked at once", async () => {
  let open = true;
  let asked = 0;
  const search = createDiscovery({
    ports: [5000],
    knownPorts: () => new Set(),
    isOpen: () => Promise.resolve(open),
    isApp: () => Promise.resolve((asked += 1) < 0),
    now: () => 0,
    coolDownMs: 30_000,
  });
  await search();
  const once = asked;
  open = false;
  await search();
  open = true;
  await search();
  assert.equal(asked, once * 2);
});

test("the port of the environment is searched first, and nonsense is not", () => {
  assert.equal(usualPorts("4321")[0], 4321);
  assert.equal(usualPorts("3000").filter((port) => port === 3000).length, 1);
  assert.deepEqual(usualPorts("http"), usualPorts(undefined));
  assert.deepEqual(usualPorts("70000"), usualPorts(undefined));
});

test("an open port is told from a closed one", async () => {
  const stub = await startAppStub("open");
  assert.equal(await isPortOpen(stub.port), true);
  await stub.close();
  assert.equal(await isPortOpen(stub.port), false);
});

test("URLs are compared by where they lead", () => {
  const same = [
    "http://localhost:3000/api/pawl",
    "http://127.0.0.1:3000/api/pawl/",
    "http://[::1]:3000/api/pawl?x=1",
  ];
  assert.equal(new Set(same.map(appUrlKey)).size, 1);
  assert.equal(appUrlKey("https://example.com/x"), "https://example.com:443/x");
  assert.notEqual(appUrlKey("http://localhost:3000/a"), appUrlKey("http://localhost:3001/a"));
  assert.equal(localPort("http://localhost/a"), 80);
  assert.equal(localPort("http://example.com:3000/a"), null);
});
