#!/usr/bin/env node
// The `pawl` command. Plain JavaScript that old versions of Node can read, so that they get to
// say which version is needed; everything else is loaded behind that check.
const needed = 24;
const found = process.versions.node;

async function start() {
  // The cache spares later starts most of the parsing; threads find it through the environment.
  const { enableCompileCache, getCompileCacheDir } = await import("node:module");
  enableCompileCache();
  const directory = getCompileCacheDir();
  if (directory !== undefined) process.env.NODE_COMPILE_CACHE = directory;
  const { main } = await import("../src/main.ts");
  process.exitCode = await main(process.argv.slice(2));
}

if (Number(found.split(".")[0]) < needed) {
  console.error(
    `pawl needs Node ${needed} or newer; this is Node ${found}. See https://nodejs.org`,
  );
  process.exitCode = 1;
} else {
  void start();
}
