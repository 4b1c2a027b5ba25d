// Loaded ahead of a script (`node --import ./scripts/pinned-node.mjs SCRIPT`): on a Node that is too
// old it runs the script again on the Node pinned in package.json and stands in for it until it
// ends. node_modules/.bin/node cannot be relied on, since npm 10 links nothing there when the
// packages of two platforms offer the same name. Plain JavaScript in the syntax of old Nodes. Knows
// nothing of the script.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname } from "node:path";
import { fileURLToPath } from "node:url";

const needed = 24;

if (Number(process.versions.node.split(".")[0]) < needed) {
  const folder = new URL(
    `../node_modules/node-${process.platform}-${process.arch}/`,
    import.meta.url,
  );
  const pinned = fileURLToPath(new URL("bin/node", folder));
  if (!existsSync(pinned)) stop(`run "npm ci" first, or install Node ${needed}`);
  await standInFor(pinned);
}

/** Never settles: the process ends with the one it stands in for. */
function standInFor(pinned) {
  // What the script starts by the name `node` has to be the same one.
  const path = [dirname(pinned), process.env.PATH].join(delimiter);
  const child = spawn(pinned, [...process.execArgv, ...process.argv.slice(1)], {
    stdio: "inherit",
    env: { ...process.env, PATH: path },
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    // Ctrl-C reaches the child from the terminal itself; twice would mean "at once".
    process.on(signal, () => signal === "SIGINT" || child.kill(signal));
  }
  child.on("error", (error) => stop(error.message));
  child.on("exit", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
  return new Promise(() => {});
}

function stop(advice) {
  process.stderr.write(
    `Node ${needed} or newer is needed, this is ${process.version}: ${advice}\n`,
  );
  process.exit(1);
}
