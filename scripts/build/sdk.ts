// Builds the package `pawl`: for each subpath an ES module, a CommonJS module and types for both,
// flat in one folder so that the oldest ways of resolving find them too. The core is bundled once per
// format; adapters import it, so that an app has one of each class whatever it loads.
import { execFileSync } from "node:child_process";
import { basename, dirname, join, resolve } from "node:path";
import { build, type Format, type Plugin } from "esbuild";
import { collectDeclarations, relocate } from "./declarations.ts";
import {
  copyInto,
  emptyFolder,
  put,
  putManifest,
  readManifest,
  root,
  type BuiltPackage,
} from "./package.ts";

const source = join(root, "packages/sdk");
const core = join(source, "src/pawl.ts");
const adapters = join(source, "src/adapters");

/** Syntax that every supported runtime has; the oldest is Node 20. */
const target = "es2022";

/** Source file by the subpath that leads to it: `.`, `./node`, ... */
export function sdkEntries(): ReadonlyMap<string, string> {
  const { exports } = readManifest("packages/sdk");
  return new Map(Object.entries(exports).map(([subpath, file]) => [subpath, join(source, file)]));
}

/** Into `folder`, which is emptied first. Throws when types or code cannot be built. */
export async function buildSdk(folder = join(source, "dist/npm")): Promise<BuiltPackage> {
  const { name, version, license } = readManifest("packages/sdk");
  const entries = sdkEntries();
  emptyFolder(folder);
  await Promise.all([bundle(entries, folder, "esm"), bundle(entries, folder, "cjs")]);
  writeTypes(entries, folder);
  copyInto(folder, ["packages/sdk/README.md", "packages/sdk/VALUES.md", "LICENSE"]);
  putManifest(folder, {
    name,
    version,
    description: "Functions whose steps are remembered: define them, serve them, send events.",
    license,
    keywords: ["durable", "workflow", "step functions", "background jobs", "events", "queue"],
    type: "module",
    sideEffects: false,
    engines: { node: ">=20" },
    main: "./pawl.cjs",
    module: "./pawl.js",
    types: "./pawl.d.cts",
    exports: {
      ...Object.fromEntries([...entries].map(([subpath, file]) => [subpath, exportOf(file)])),
      "./package.json": "./package.json",
    },
    files: ["*.js", "*.cjs", "*.d.ts", "*.d.cts", "types", "VALUES.md"],
  });
  return { name, version, folder };
}

function exportOf(file: string): object {
  const name = basename(file, ".ts");
  return {
    import: { types: `./${name}.d.ts`, default: `./${name}.js` },
    require: { types: `./${name}.d.cts`, default: `./${name}.cjs` },
  };
}

async function bundle(
  entries: ReadonlyMap<string, string>,
  folder: string,
  format: Format,
): Promise<void> {
  const extension = format === "esm" ? ".js" : ".cjs";
  await build({
    entryPoints: [...entries.values()],
    outdir: folder,
    entryNames: "[name]",
    outExtension: { ".js": extension },
    bundle: true,
    format,
    platform: "neutral",
    target,
    // Read by people who follow a stack trace.
    minify: false,
    charset: "utf8",
    logLevel: "warning",
    plugins: [importSiblings(new Set(entries.values()), extension)],
  });
}

/**
 * Keeps entries apart: an adapter's import of another adapter stays an import of that one, and its
 * import of any file of the core becomes an import of the core's entry, which exports it.
 */
function importSiblings(entries: ReadonlySet<string>, extension: string): Plugin {
  return {
    name: "import-siblings",
    setup: (build) => {
      build.onResolve({ filter: /^\./ }, ({ path, resolveDir, kind }) => {
        if (kind === "entry-point" || resolveDir !== adapters) return null;
        const file = resolve(resolveDir, path);
        const isHelper = dirname(file) === adapters && !entries.has(file);
        if (isHelper) return null;
        const sibling = entries.has(file) ? file : core;
        return { path: `./${basename(sibling, ".ts")}${extension}`, external: true };
      });
    },
  };
}

/** The compiler's declarations, once for ES modules and once for CommonJS, and an entry for each. */
function writeTypes(entries: ReadonlyMap<string, string>, folder: string): void {
  const tsc = join(root, "node_modules/.bin/tsc");
  execFileSync(tsc, ["-b", "packages/sdk"], { cwd: root, stdio: "inherit" });
  const files = collectDeclarations([...entries.values()]);
  for (const [kind, extension] of [
    ["esm", "js"],
    ["cjs", "cjs"],
  ] as const) {
    const suffix = extension === "js" ? ".d.ts" : ".d.cts";
    for (const file of files) {
      put(folder, join("types", kind, `${file.name}${suffix}`), relocate(file, extension));
    }
    for (const entry of entries.values()) {
      const name = files.find((file) => file.source === entry)?.name ?? "";
      const line = `export * from "./types/${kind}/${name}.${extension}";\n`;
      put(folder, `${basename(entry, ".ts")}${suffix}`, line);
    }
  }
}
