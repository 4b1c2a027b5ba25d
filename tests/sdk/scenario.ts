// What a scenario is: functions for an app, and what must be seen when they run.
import type { Api, RunInfo } from "../support/api.ts";
import type { Kit } from "./app/kit.ts";
import type { AppProcess } from "./app-process.ts";
import type { Flavour } from "./flavours.ts";

export interface Scenario {
  /** What is promised, as the test's name. */
  readonly says: string;
  /** The flavours it is for; all unless said. */
  readonly only?: readonly Flavour[];
  /** Runs in the app's process. Ids of functions and names of events must be the scenario's own. */
  define(kit: Kit): readonly unknown[];
  /** Runs in the test's process, at the same time as other scenarios. Rejects when it fails. */
  check(world: World): Promise<void>;
}

/** What a scenario's check can see and do. */
export interface World {
  readonly flavour: Flavour;
  readonly api: Api;
  readonly app: AppProcess;
  /** The app that other SDKs serve on the same server. */
  readonly partner: AppProcess;
  /** Sends an event and waits for the end of the one run that it starts. */
  runOf(name: string, data?: Readonly<Record<string, unknown>>): Promise<RunInfo>;
  /** The same, and asserts that the run completed; returns its output. */
  outputOf(name: string, data?: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** What the app's functions noted under that key. */
  notes(key: string): Promise<unknown[]>;
  /** How often the function was called, by its short id. */
  callCount(functionId: string): Promise<number>;
}
