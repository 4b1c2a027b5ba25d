// All scenarios on npm `inngest` 3.
import { runFlavour } from "./run-flavour.ts";

runFlavour("js3");
