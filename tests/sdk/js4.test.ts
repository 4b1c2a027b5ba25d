// All scenarios on npm `inngest` 4 as it comes.
import { runFlavour } from "./run-flavour.ts";

runFlavour("js4");
