// `npm run bench`: measures every workload in several rounds, floors beside them, then the curves;
// prints the tables and keeps them in README.md.
import { readFileSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { buildCli } from "../scripts/build/cli.ts";
import { measureFloors } from "./floors/floors.ts";
import { measureGrowth, type Curve } from "./growth.ts";
import { System, type Flavour } from "./lib/system.ts";
import { readOptions, usage, type Options } from "./options.ts";
import { report, type Results, type Sample } from "./report.ts";
import { measure, warmUp, type Figures, type WorkloadName } from "./workloads.ts";

const idleMs = 2_000;
/** What `npm run bench` writes into README.md stands below this line. */
const mark = "<!-- figures: written by `npm run bench` -->";
let failures = 0;

const options = readOptions(process.argv.slice(2));
if (options === null) console.log(usage);
else await bench(options);
process.exit(failures === 0 ? 0 : 1);

async function bench(wanted: Options): Promise<void> {
  await buildCli();
  const begunAt = Date.now();
  const samples: Sample[] = [];
  const floors: Figures[] = [];
  for (let round = 1; round <= wanted.rounds; round++) {
    floors.push(await measureFloors(wanted.scale));
    progress(`round ${round}: floors`, floors.at(-1) ?? {});
    for (const flavour of wanted.flavours)
      samples.push(...(await measureFlavour(wanted, flavour, round)));
  }
  const curves: Curve[] = [];
  const [flavour] = wanted.flavours;
  if (wanted.growth && flavour !== undefined) {
    curves.push(
      ...(await measureGrowth(
        flavour,
        wanted.workloads,
        wanted.scale,
        wanted.sleepersMax,
        (title, size, figures) => progress(`${title}: ${size}`, figures),
      )),
    );
  }
  const results = {
    options: wanted,
    begunAt,
    endedAt: Date.now(),
    sqlite: sqliteVersion(),
    floors,
    samples,
    curves,
  };
  if (wanted.json) console.log(JSON.stringify(results, null, 1));
  else publish(results);
}

/** All workloads of one flavour, once. W9 has no app in it, so only the first flavour shows it. */
async function measureFlavour(wanted: Options, flavour: Flavour, round: number): Promise<Sample[]> {
  const samples: Sample[] = [];
  const add = (workload: string, figures: Figures, foreign: number): void => {
    progress(
      `round ${round}: ${flavour} ${workload}, other work ${Math.round(foreign * 100)} %`,
      figures,
    );
    for (const [figure, value] of Object.entries(figures))
      samples.push({ workload, figure, flavour, value, foreign });
  };
  const shared = wanted.workloads.filter(
    (name) => name !== "W6" && (name !== "W9" || flavour === wanted.flavours[0]),
  );
  const one = async (system: System, name: WorkloadName): Promise<void> => {
    try {
      const { figures, foreign } = await measure(system, name, wanted.scale);
      add(name, figures, foreign);
    } catch (error) {
      // The others are still worth having; the table lacks this one, and the exit code tells.
      failures++;
      console.error(`round ${round}: ${flavour} ${name} FAILED`, error);
    }
  };
  const system = await System.start(flavour);
  try {
    await new Promise((resolve) => setTimeout(resolve, idleMs));
    add(
      "server",
      { "cold start ms": system.coldStartMs, "idle MB": system.memory().server / 1e6 },
      0,
    );
    await warmUp(system);
    for (const name of shared) await one(system, name);
  } finally {
    await system.stop();
  }
  if (!wanted.workloads.includes("W6")) return samples;
  // Sleepers want a memory and a disk on which nothing else has happened.
  const fresh = await System.start(flavour);
  try {
    await warmUp(fresh);
    await one(fresh, "W6");
  } finally {
    await fresh.stop();
  }
  return samples;
}

function progress(what: string, figures: Figures): void {
  const shown = Object.entries(figures).map(
    ([name, value]) => `${name} ${Number(value.toPrecision(4))}`,
  );
  console.error(`${what}: ${shown.join("; ")}`);
}

function sqliteVersion(): string {
  const database = new DatabaseSync(":memory:");
  const row = database.prepare("SELECT sqlite_version() AS version").get();
  database.close();
  return String(row?.["version"]);
}

/** Shows the report, and keeps it below the mark in README.md. */
function publish(results: Results): void {
  const text = report(results);
  console.log(text);
  const file = new URL("README.md", import.meta.url);
  const [explanation = ""] = readFileSync(file, "utf8").split(mark);
  writeFileSync(file, `${explanation}${mark}\n\n${text}\n`);
}
