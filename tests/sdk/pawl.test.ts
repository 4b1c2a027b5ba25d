// All scenarios on our own SDK.
import { runFlavour } from "./run-flavour.ts";

runFlavour("pawl");
