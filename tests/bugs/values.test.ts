// A step's value on the first run and on every replay, with both SDKs on a real server: with
// checkpoints, where the function goes on in the same call, and without, where each value travels.
import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { Inngest } from "inngest";
import { serve as serveInngest } from "inngest/node";
import { Pawl } from "pawl";
import { serve as servePawl } from "pawl/node";
import { functionsKnown } from "../crash/campaign.ts";
import { PawlServer } from "../support/pawl-server.ts";
import { freePort } from "../support/ports.ts";

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

/** JSON that is easily bent on its way. */
const jsonValues: Readonly<Record<string, unknown>> = {
  nothing: null,
  zero: 0,
  tiny: 5e-324,
  large: Number.MAX_SAFE_INTEGER,
  huge: 1.7976931348623157e308,
  empty: "",
  text: 'ünïcödé \u2028 \u0000 \ud83d\ude00 "quoted" \\ </script>',
  date: "2026-11-21T00:00:00.000Z",
  deep: { a: [{ b: [[], {}, [null]] }] },
  keys: JSON.parse('{"__proto__":{"polluted":true},"constructor":1,"":2,"10":3,"9":4}'),
  data: { data: { error: { name: "no error" } } },
  error: { error: { name: "no error", message: "only looks like one" } },
  input: { input: [1] },
  long: "x".repeat(100_000),
};

/** What only the `pawl` SDK carries. */
const richValues: Readonly<Record<string, unknown>> = {
  none: undefined,
  minus: -0,
  nan: Number.NaN,
  infinity: -Infinity,
  bigint: 12_345_678_901_234_567_890n,
  day: new Date("2026-11-21T01:02:03.004Z"),
  noDay: new Date(Number.NaN),
  map: new Map<unknown, unknown>([
    ["a", new Date(0)],
    [{ key: 1 }, new Set([1n, undefined])],
  ]),
  url: new URL("https://example.com/a?b=c#d"),
  failure: new TypeError("outer", { cause: new RangeError("inner") }),
  bytes: new Uint8Array([0, 1, 255]),
  doubles: new Float64Array([Math.PI, Number.NaN]),
  holes: { a: undefined, b: [undefined, 1] },
};

let server: PawlServer;
const apps: Server[] = [];
/** What the handler had after the step, in each of its calls, by function and step. */
const seen = new Map<string, unknown[]>();
let stepsRun = 0;

/** Runs a step for each value, sleeps, and so is replayed. */
async function takeAll(
  fn: string,
  values: Readonly<Record<string, unknown>>,
  run: (id: string, code: () => unknown) => Promise<unknown>,
  sleep: (id: string) => Promise<unknown>,
): Promise<string> {
  const have = (name: string, value: unknown): void => {
    seen.set(`${fn} ${name}`, [...(seen.get(`${fn} ${name}`) ?? []), value]);
  };
  const step = (name: string): Promise<unknown> =>
    run(name, () => {
      stepsRun++;
      return values[name];
    });
  for (const name of Object.keys(values)) have(name, await step(name));
  await sleep("replayed after this");
  await run("behind", () => "so that it is replayed once more");
  await sleep("and after this");
  return "end";
}

async function listen(listener: Parameters<typeof createServer>[1]): Promise<string> {
  const app = createServer(listener);
  apps.push(app);
  await new Promise<void>((resolve) => {
    app.listen(0, "127.0.0.1", resolve);
  });
  const { port } = app.address() as AddressInfo; // proof: a TCP server that listens has one
  return `http://127.0.0.1:${String(port)}/api/inngest`;
}

before(async () => {
  const port = await freePort();
  const url = `http://127.0.0.1:${String(port)}`;
  const pawl = new Pawl({ id: "values-pawl", isDev: true, baseUrl: url, logger: quiet });
  const inngest = new Inngest({ id: "values-inngest", isDev: true, baseUrl: url, logger: quiet });
  const ways = [true, false];
  const ofPawl = ways.map((checkpointing) => {
    const id = checkpointing ? "saved" : "plain";
    return pawl.createFunction({ id, checkpointing }, { event: `bugs/pawl-${id}` }, ({ step }) =>
      takeAll(
        `pawl-${id}`,
        { ...jsonValues, ...richValues },
        (name, code) => step.run(name, code),
        (name) => step.sleep(name, 10),
      ),
    );
  });
  const ofInngest = ways.map((checkpointing) => {
    const id = checkpointing ? "saved" : "plain";
    return inngest.createFunction(
      { id, checkpointing, triggers: [{ event: `bugs/inngest-${id}` }] },
      ({ step }) =>
        takeAll(
          `inngest-${id}`,
          jsonValues,
          (name, code) => step.run(name, code),
          (name) => step.sleep(name, "1s"),
        ),
    );
  });
  const urls = [
    await listen(servePawl({ client: pawl, functions: ofPawl })),
    await listen(serveInngest({ client: inngest, functions: ofInngest })),
  ];
  server = await PawlServer.start({
    port,
    apps: urls,
    flags: ["--retry-interval", "0", "--no-poll"],
  });
  await functionsKnown(url, 4);
});

after(async () => {
  await server.stop();
  for (const app of apps) {
    app.closeAllConnections();
    app.close();
  }
});

for (const way of ["saved", "plain"]) {
  for (const sdk of ["pawl", "inngest"]) {
    test(`bug class 6: values are the same on first run and replay (${sdk}, ${way})`, async () => {
      stepsRun = 0;
      const values = sdk === "pawl" ? { ...jsonValues, ...richValues } : jsonValues;
      const run = await server.api.runOf({ name: `bugs/${sdk}-${way}` });
      assert.deepEqual([run.status, run.output], ["Completed", "end"]);
      assert.equal(stepsRun, Object.keys(values).length, "each step ran once");
      for (const [name, value] of Object.entries(values)) {
        const all = seen.get(`${sdk}-${way} ${name}`) ?? [];
        assert.ok(all.length >= 3, `${name} was seen ${String(all.length)} times`);
        for (const each of all) assert.deepStrictEqual(shown(each), shown(value), name);
      }
    });
  }
}

/** Stacks are text about places, which a process may cut; everything else of an error counts. */
function shown(value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  return [Object.getPrototypeOf(value), value.name, value.message, shown(value.cause)];
}
