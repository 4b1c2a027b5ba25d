// Weighs what an app takes on with the SDK: `Pawl` and the handler for web requests, bundled,
// minified and compressed. The budget is a ratchet: packages/sdk/api/size.json, which may only fall
// unless somebody means it.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { root } from "../build/package.ts";
import type { Verdict } from "./verdict.ts";

const record = join(root, "packages/sdk/api/size.json");

/** Budgets are whole steps, so that small repairs and another version of zlib are no event. */
const stepBytes = 256;

/** `folder` is the built package; `update` records what was measured. */
export async function checkSize(folder: string, update: boolean): Promise<Verdict> {
  const { minified, gzipped } = await weigh(folder);
  if (update) {
    const budget = Math.ceil(gzipped / stepBytes) * stepBytes;
    writeFileSync(record, `{ "gzipBytesMax": ${budget} }\n`);
  }
  // proof: written above, by an earlier run
  const { gzipBytesMax } = JSON.parse(readFileSync(record, "utf8")) as { gzipBytesMax: number };
  const note = `${gzipped} bytes gzipped (${minified} minified), ${gzipBytesMax} allowed`;
  if (gzipped > gzipBytesMax) {
    return { note, problems: [`the SDK is ${gzipped - gzipBytesMax} bytes over its budget`] };
  }
  if (gzipped < gzipBytesMax - 2 * stepBytes) {
    return {
      note,
      problems: [`the SDK is ${gzipBytesMax - gzipped} bytes under: lower the budget`],
    };
  }
  return { note, problems: [] };
}

async function weigh(folder: string): Promise<{ minified: number; gzipped: number }> {
  const contents = `
    import { Pawl } from "./pawl.js";
    import { serve } from "./fetch.js";
    globalThis.app = [Pawl, serve];`;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: folder },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    write: false,
  });
  const code = outputFiles[0]?.contents ?? new Uint8Array();
  return { minified: code.byteLength, gzipped: gzipSync(code, { level: 9 }).byteLength };
}
