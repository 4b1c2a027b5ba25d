// Scenarios that once broke a promise, kept as JSON and run before all others.
import { readdir, readFile, writeFile } from "node:fs/promises";
import type { Violation } from "./oracle/violation.ts";
import type { Scenario } from "./scenario.ts";

const folder = new URL("../seeds/", import.meta.url);

export interface FiledSeed {
  readonly file: string;
  /** What it broke when it was filed. */
  readonly broke: Violation;
  readonly scenario: Scenario;
}

/** All that are filed, by name. */
export async function filedSeeds(): Promise<FiledSeed[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".json")).toSorted();
  const texts = await Promise.all(files.map((file) => readFile(new URL(file, folder), "utf8")));
  return texts.map((text, index) => {
    const filed = JSON.parse(text) as Omit<FiledSeed, "file">; // proof: written by `fileSeed`
    return { ...filed, file: files[index] ?? "" };
  });
}

/** Files a scenario; returns the name of its file. */
export async function fileSeed(scenario: Scenario, broke: Violation): Promise<string> {
  const file = `${broke.rule}-${scenario.seed}.json`;
  await writeFile(new URL(file, folder), `${JSON.stringify({ broke, scenario }, null, 2)}\n`);
  return file;
}
