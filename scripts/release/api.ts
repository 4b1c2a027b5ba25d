// Keeps the public API of the SDK on record: packages/sdk/api/pawl.api.md names what each subpath
// exports and shows every declaration that can be reached from there, without comments. A change
// of the API shows as a change of that file.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { collectDeclarations } from "../build/declarations.ts";
import { root } from "../build/package.ts";
import { sdkEntries } from "../build/sdk.ts";
import { describeApi } from "./api-text.ts";
import type { Verdict } from "./verdict.ts";

const record = join(root, "packages/sdk/api/pawl.api.md");

/** Needs the declarations as the compiler has left them; `update` records them. */
export function checkApi(update: boolean): Verdict {
  const entries = sdkEntries();
  const text = describeApi(entries, collectDeclarations([...entries.values()]));
  if (update) writeFileSync(record, text);
  const recorded = existsSync(record) ? readFileSync(record, "utf8") : "";
  const lines = text.split("\n").length;
  const note = `${entries.size} subpaths, ${lines} lines in packages/sdk/api/pawl.api.md`;
  if (recorded === text) return { note, problems: [] };
  return { note, problems: [`the API has changed:\n${difference(recorded, text)}`] };
}

/** Lines that only one text has, each with its line number; enough to see what has changed. */
export function difference(before: string, after: string): string {
  const removed = linesMissing(before, after).map((line) => `- ${line}`);
  const added = linesMissing(after, before).map((line) => `+ ${line}`);
  return [...removed, ...added].join("\n") || "the order of lines";
}

function linesMissing(from: string, inText: string): string[] {
  const left = new Map<string, number>();
  for (const line of inText.split("\n")) left.set(line, (left.get(line) ?? 0) + 1);
  return from.split("\n").flatMap((line, index) => {
    const count = left.get(line) ?? 0;
    if (count > 0) left.set(line, count - 1);
    return count > 0 ? [] : [`${index + 1}: ${line}`];
  });
}
