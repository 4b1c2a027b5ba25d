// Builds the package `pawl-cli`: the private packages of the workspace bundled into `lib/`, with
// everything from the registry left outside and listed as a dependency in the version that the
// workspace has. Also brings what the code finds beside itself: worker threads and migrations, and the
// documentation.
import { cpSync, globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { build, type Metafile } from "esbuild";
import { packageNameOf } from "../tidy/workspace.ts";
import {
  copyInto,
  emptyFolder,
  put,
  putManifest,
  readManifest,
  root,
  type BuiltPackage,
} from "./package.ts";

const source = join(root, "packages/cli");
const threads = globSync("packages/*/src/**/*-thread.ts", { cwd: root });
const migrations = join(root, "packages/store-sqlite/src/migrations");

/** Into `folder`, which is emptied first. Throws when a dependency is not declared anywhere. */
export async function buildCli(folder = join(source, "dist/npm")): Promise<BuiltPackage> {
  const { name, version, license, engines } = readManifest("packages/cli");
  emptyFolder(folder);
  const dependencies = dependenciesOf(await bundle(folder));
  cpSync(migrations, join(folder, "lib", basename(migrations)), { recursive: true });
  cpSync(join(root, "docs"), join(folder, "docs"), { recursive: true });
  put(folder, "bin/pawl.js", commandText());
  copyInto(folder, ["packages/cli/README.md", "LICENSE"]);
  putManifest(folder, {
    name,
    version,
    description: "The pawl server: runs step functions to their end, on one command.",
    license,
    keywords: ["durable", "workflow", "step functions", "background jobs", "events", "queue"],
    type: "module",
    engines,
    bin: { pawl: "bin/pawl.js" },
    exports: { "./package.json": "./package.json" },
    files: ["bin", "docs", "lib"],
    dependencies,
  });
  return { name, version, folder };
}

/** All in one folder, since threads and migrations are looked for beside the code that wants them. */
async function bundle(folder: string): Promise<Metafile> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [join(source, "src/main.ts"), ...threads],
    outdir: join(folder, "lib"),
    entryNames: "[name]",
    chunkNames: "[name]-[hash]",
    bundle: true,
    // Commands load only what they need.
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    charset: "utf8",
    logLevel: "warning",
    metafile: true,
    plugins: [
      {
        name: "packages-outside",
        setup: (build) => {
          build.onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
            kind === "entry-point" || path.startsWith("@pawl/") ? null : { path, external: true },
          );
        },
      },
    ],
  });
  return metafile;
}

/** What the bundle imports from the registry, in the versions of the package that asks for it. */
function dependenciesOf(metafile: Metafile): Record<string, string> {
  const declared = new Map(
    globSync("packages/*/package.json", { cwd: root }).flatMap((path) =>
      Object.entries(readManifest(path.replace(/\/package\.json$/, "")).dependencies),
    ),
  );
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports);
  const names = imports.filter(({ external }) => external === true).map(({ path }) => path);
  const used = new Set(names.filter((path) => !path.startsWith("node:")).map(packageNameOf));
  return Object.fromEntries(
    [...used].toSorted().map((name) => {
      const version = declared.get(name);
      if (version === undefined) throw new TypeError(`no package declares ${name}`);
      return [name, version];
    }),
  );
}

/** The command, with the bundle in place of the sources. */
function commandText(): string {
  const text = readFileSync(join(source, "bin/pawl.js"), "utf8");
  const built = text.replace('"../src/main.ts"', '"../lib/main.js"');
  if (built === text) throw new TypeError("bin/pawl.js no longer imports ../src/main.ts");
  return built;
}
