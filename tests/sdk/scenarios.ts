// The table of all scenarios. Which flavours one is for stands in the scenario.
import * as actions from "./scenarios/actions.ts";
import * as comforts from "./scenarios/comforts.ts";
import * as deferring from "./scenarios/deferring.ts";
import * as ending from "./scenarios/ending.ts";
import * as gateways from "./scenarios/gateways.ts";
import * as invoking from "./scenarios/invoking.ts";
import * as jsonValues from "./scenarios/json-values.ts";
import * as metadata from "./scenarios/metadata.ts";
import * as oddCases from "./scenarios/odd-cases.ts";
import * as parallel from "./scenarios/parallel.ts";
import * as pawlOnly from "./scenarios/pawl-only.ts";
import * as retrying from "./scenarios/retrying.ts";
import * as sending from "./scenarios/sending.ts";
import * as signals from "./scenarios/signals.ts";
import * as sequence from "./scenarios/sequence.ts";
import * as sessions from "./scenarios/sessions.ts";
import * as sleeping from "./scenarios/sleeping.ts";
import * as triggering from "./scenarios/triggering.ts";
import * as waiting from "./scenarios/waiting.ts";
import type { Scenario } from "./scenario.ts";

/** In the order in which they start. */
export const scenarios: readonly Scenario[] = [
  sequence,
  jsonValues,
  sleeping,
  waiting,
  invoking,
  gateways,
  sending,
  signals,
  parallel,
  retrying,
  ending,
  triggering,
  comforts,
  oddCases,
  actions,
  metadata,
  deferring,
  sessions,
  pawlOnly,
].flatMap((file) => Object.values(file));
