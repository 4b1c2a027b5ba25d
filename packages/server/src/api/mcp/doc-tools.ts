// The MCP tools that read the documentation of Pawl (protocol.md 8.5): Markdown files of one
// folder, and nothing outside it.
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { toJsonText } from "@pawl/protocol/json-text";
import { ServerError } from "../../server-error.ts";
import { looks, tool, type Tool } from "./tool.ts";

const hitsMax = 100;
const lineCharsMax = 300;

/** Beside the bundle of the published package; in the repository, at its top. */
const docsFolders = ["../docs", "../../../../../docs"] as const;

/** Where the documentation lies. */
export const docsFolder = findDocs(import.meta.url);

/**
 * The folder of the pages, seen from the URL of the module that shows them. One without our first page is
 * somebody else's and not shown.
 */
export function findDocs(from: string): string {
  const folders = docsFolders.map((path) => fileURLToPath(new URL(path, from)));
  return folders.find((path) => existsSync(join(path, "getting-started.md"))) ?? folders[0] ?? "";
}

/** The tools over the Markdown files of a folder. */
export function docTools(folder: string): readonly Tool[] {
  return [
    tool({
      name: "list_docs",
      scope: null,
      description: "List the pages of the documentation.",
      input: z.strictObject({}),
      hints: looks,
      run: async () => toJsonText(await pages(folder)),
    }),
    tool({
      name: "read_doc",
      scope: null,
      description: "Read one page of the documentation.",
      input: z.strictObject({ path: z.string().describe("A path that list_docs names.") }),
      hints: looks,
      run: async ({ path }) => toJsonText({ path, text: await readPage(folder, path) }),
    }),
    tool({
      name: "grep_docs",
      scope: null,
      description: "Find lines of the documentation that hold a text, whatever its case.",
      input: z.strictObject({
        pattern: z.string().min(1).max(lineCharsMax).describe("Plain text."),
        limit: z.int().min(1).max(hitsMax).default(10),
      }),
      hints: looks,
      run: async ({ pattern, limit }) => toJsonText(await findLines(folder, pattern, limit)),
    }),
  ];
}

/** Paths of all pages, with slashes, in order; none when the folder is not there. */
async function pages(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { recursive: true });
    return entries
      .map((entry) => entry.replaceAll("\\", "/"))
      .filter((entry) => entry.endsWith(".md"))
      .sort();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}

/** Only what is listed is read, so that no path leads out of the folder. */
async function readPage(folder: string, path: string): Promise<string> {
  if ((await pages(folder)).includes(path)) return readFile(join(folder, path), "utf8");
  throw new ServerError("parameter_invalid", `There is no page ${path}; list_docs names them.`);
}

async function findLines(
  folder: string,
  pattern: string,
  limit: number,
): Promise<readonly { path: string; line: number; text: string }[]> {
  const wanted = pattern.toLowerCase();
  const found: { path: string; line: number; text: string }[] = [];
  for (const path of await pages(folder)) {
    const lines = (await readPage(folder, path)).split("\n");
    for (const [index, text] of lines.entries()) {
      if (!text.toLowerCase().includes(wanted)) continue;
      found.push({ path, line: index + 1, text: text.slice(0, lineCharsMax) });
      if (found.length >= limit) return found;
    }
  }
  return found;
}
