// The recorded exchanges of tests/fixtures, loaded. It must not know what they mean.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const appNames = ["python", "go", "js3", "js4"] as const;
export type AppName = (typeof appNames)[number];

export interface Fixture {
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  };
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  };
}

/** Every exchange of one app by its name, which is the file's name without `.json`. */
export function fixturesOf(app: AppName): ReadonlyMap<string, Fixture> {
  const folder = fileURLToPath(new URL(`../fixtures/${app}/`, import.meta.url));
  const files = readdirSync(folder).toSorted();
  return new Map(
    files.map((file) => {
      const text = readFileSync(folder + file, "utf8");
      // proof: record.ts wrote the file in this shape
      return [file.replace(/\.json$/, ""), JSON.parse(text) as Fixture] as const;
    }),
  );
}

/** The exchange of that name; a missing one fails the test. */
export function fixtureOf(app: AppName, name: string): Fixture {
  const fixture = fixturesOf(app).get(name);
  if (fixture === undefined) throw new Error(`${app} has no fixture ${name}`);
  return fixture;
}
