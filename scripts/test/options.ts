// Reads the command line of the test run. It must not know which groups exist.
import { parseArgs } from "node:util";

export interface Options {
  /** Names or leading parts of names of groups; empty means all. */
  readonly only: readonly string[];
  /** Stop at the first group that fails. */
  readonly bail: boolean;
  /** Only print the names of the groups. */
  readonly list: boolean;
  /** What follows `--`: given to `node --test` as it is. */
  readonly nodeArgs: readonly string[];
}

export const usage = `usage: npm test -- [--only GROUP]... [--bail] [--list] [-- NODE_TEST_ARGS]
  --only GROUP   types, lint, format, tidy, release, unit, unit/engine, tests, tests/NAME, ...
  --bail         stop at the first group that fails
  --list         print the names of the groups
  example: npm test -- --only unit/engine -- --test-name-pattern=retry`;

/** Throws TypeError with a readable message for an unknown option. */
export function readOptions(args: readonly string[]): Options {
  const split = args.indexOf("--");
  const own = split < 0 ? args : args.slice(0, split);
  const { values } = parseArgs({
    args: [...own],
    options: {
      only: { type: "string", multiple: true, default: [] },
      bail: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
    },
  });
  const nodeArgs = split < 0 ? [] : args.slice(split + 1);
  return { only: values.only, bail: values.bail, list: values.list, nodeArgs };
}
