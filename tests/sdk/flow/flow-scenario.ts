// What a scenario of flow control is: functions for an app, and what must be seen when events come.
import type { RunInfo } from "../../support/api.ts";
import type { Scenario, World } from "../scenario.ts";

export interface FlowScenario extends Pick<Scenario, "says" | "define"> {
  /** Runs in the test's process, at the same time as other scenarios. */
  check(world: FlowWorld): Promise<void>;
}

/** What its check can see and do. */
export interface FlowWorld extends Pick<World, "flavour" | "api" | "app" | "notes"> {
  /** Sends `flow/<name>` with each of these data, in order and at once; the run of each, ended. */
  runsOf(name: string, datas: readonly object[]): Promise<RunInfo[]>;
}

/** How the runs ended, in order. */
export function statuses(runs: readonly RunInfo[]): string[] {
  return runs.map(({ status }) => status);
}
