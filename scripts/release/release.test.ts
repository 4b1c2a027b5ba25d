// Tests of the release's checks: that each finds what it is there to find.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { DeclarationFile } from "../build/declarations.ts";
import { relocate } from "../build/declarations.ts";
import { parseSource } from "../tidy/source.ts";
import { describeApi } from "./api-text.ts";
import { difference } from "./api.ts";
import { lintPackage } from "./package-lint.ts";

test("attw and publint are heard: types without code for require, a file that is missing", async () => {
  const folder = mkdtempSync(join(tmpdir(), "pawl-lint-"));
  mkdirSync(folder, { recursive: true });
  const put = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  put("index.d.ts", "export declare const one: number;\n");
  put("index.js", "export const one = 1;\n");
  const exports = {
    ".": { types: "./index.d.ts", import: "./index.js", require: "./gone.cjs" },
  };
  const manifest = { name: "broken", version: "1.0.0", type: "module", exports };
  put("package.json", JSON.stringify(manifest));
  const { problems } = await lintPackage(folder);
  rmSync(folder, { recursive: true });
  assert.ok(problems.some((each) => each.startsWith("attw: ")));
  assert.ok(problems.some((each) => each.startsWith("publint: ") && each.includes("gone.cjs")));
});

/** Files of declarations by name; references are found by the names in quotes. */
function declarationFiles(texts: Readonly<Record<string, string>>): DeclarationFile[] {
  return Object.entries(texts).map(([name, text]) => {
    const references = [...text.matchAll(/"\.\/(\w+)\.ts"/g)].map((match) => ({
      start: match.index,
      end: match.index + match[0].length,
      name: `lib/${match[1] ?? ""}`,
    }));
    const parsed = parseSource(`${name}.d.ts`, text);
    return { source: `/${name}.ts`, name: `lib/${name}`, parsed, references };
  });
}

const sample = {
  entry: 'export { make } from "./make.ts";\nexport type { Made } from "./made.ts";\n',
  made: `
    import type { Part } from "./part.ts";
    /** What is made. */
    export interface Made { /* the part */ readonly part: Part; }
    export interface Unseen { readonly never: true }
  `,
  make: 'import type { Made } from "./made.ts";\nexport declare function make(): Made;\n',
  part: "export type Part = Hidden;\ninterface Hidden { readonly size: number }\n",
};

function apiOf(texts: Readonly<Record<string, string>>): string {
  return describeApi(new Map([[".", "/entry.ts"]]), declarationFiles(texts));
}

test("the API names what is exported, shows what is behind it, and nothing else", () => {
  const text = apiOf(sample);
  assert.match(text, /^- `\.`: `Made`, `make`$/m);
  assert.match(text, /interface Hidden/);
  assert.doesNotMatch(text, /Unseen|What is made|the part/);
});

test("a change far behind an export changes the API, a comment does not", () => {
  const changed = { ...sample, part: sample.part.replace("number", "string") };
  assert.match(difference(apiOf(sample), apiOf(changed)), /^- .*size: number.*\n\+ .*size: string/);
  const commented = { ...sample, part: `/** Says more. */\n${sample.part}` };
  assert.equal(apiOf(commented), apiOf(sample));
});

test("declarations refer to one another by what lies beside them", () => {
  const [entry] = declarationFiles(sample);
  assert.ok(entry);
  assert.match(relocate(entry, "cjs"), /from "\.\/make\.cjs";\n.*from "\.\/made\.cjs";/);
});
