// The table of the scenarios of flow control.
import * as concurrency from "./concurrency.ts";
import * as ending from "./ending.ts";
import type { FlowScenario } from "./flow-scenario.ts";
import * as gathering from "./gathering.ts";
import { holding } from "./holding.ts";
import * as meeting from "./meeting.ts";
import * as scheduling from "./scheduling.ts";
import * as starting from "./starting.ts";

/** All of them; they run at the same time. */
export const flowScenarios: readonly FlowScenario[] = [
  ...[concurrency, starting, gathering, meeting, ending, scheduling].flatMap((file) =>
    Object.values(file),
  ),
  ...holding,
];
