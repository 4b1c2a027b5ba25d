// All scenarios on npm `inngest` 4 without checkpointing.
import { runFlavour } from "./run-flavour.ts";

runFlavour("js4-no-checkpoint");
