// `node tests/fuzz/fuzz.ts --requests 100000 [--seed N] [--kind dev|cloud] [--store memory|sqlite] [--only I]`:
// a long fuzz run over every route. Prints the seed, what came back, and each fault with its request.
import { parseArgs } from "node:util";
import { fuzz, heapGrowthBytesMax } from "./run.ts";

const { values } = parseArgs({
  options: {
    requests: { type: "string", default: "100000" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 0x7fff_ffff)) },
    kind: { type: "string", default: "dev" },
    store: { type: "string", default: "sqlite" },
    only: { type: "string" },
    parallel: { type: "string", default: "8" },
  },
});
const begin = performance.now();
const say = (line: string): void => void process.stdout.write(`${line}\n`);
say(`seed ${values.seed}`);
const outcome = await fuzz({
  seed: Number(values.seed),
  requests: Number(values.requests),
  kind: values.kind === "cloud" ? "cloud" : "dev",
  store: values.store === "memory" ? "memory" : "sqlite",
  only: values.only === undefined ? null : Number(values.only),
  parallel: Number(values.parallel),
  tell: say,
});
for (const fault of outcome.faults) say(`FAULT ${fault}`);
const grown = outcome.heapBytesAfter - outcome.heapBytesBefore;
const statuses = [...outcome.answers].toSorted(([a], [b]) => a - b);
say(
  `${String(outcome.routes)} routes; ${statuses.map(([status, count]) => `${String(status)}: ${String(count)}`).join(", ")}`,
);
say(
  `heap ${(grown / 1024 / 1024).toFixed(1)} MiB more; ${((performance.now() - begin) / 1_000).toFixed(0)} s; ${String(outcome.faults.length)} faults`,
);
process.exitCode = outcome.faults.length === 0 && grown < heapGrowthBytesMax ? 0 : 1;
