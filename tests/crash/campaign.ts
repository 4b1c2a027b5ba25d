// One campaign: a server and two apps under load, one of them killed again and again, then peace,
// then the judgement. It must not know how processes are started, nor what counts as a fault.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Child } from "../support/child.ts";
import { PawlServer } from "../support/pawl-server.ts";
import { eventually, pause } from "../support/poll.ts";
import { freePort } from "../support/ports.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import { examine, type Examination } from "./doctor.ts";
import { Load } from "./load.ts";
import { Dice } from "./random.ts";
import { Endings, judge, type Verdict } from "./verdict.ts";

export interface Campaign {
  readonly victim: "server" | "apps";
  readonly kills: number;
  readonly seed: number;
  /** A victim lives this long, at random between the two, once it is ready. */
  readonly lifeMs: readonly [number, number];
  /** Events sent in each of these lives: the load of a campaign is the same on slow machines. */
  readonly eventsPerLife: number;
  /** How long the runs may take to end once nobody is killed any more. */
  readonly peaceMs: number;
}

export interface Outcome {
  readonly verdict: Verdict;
  readonly accepted: number;
  readonly failedTries: number;
  /** Of each start after a kill: from the kill until it was ready, in ms. */
  readonly recoveryMs: readonly number[];
  /** Exit code of the server's last, orderly end. */
  readonly exitCode: number | null;
  readonly doctor: Examination;
  /** What the server printed since its last start. */
  readonly output: string;
}

const appFiles = ["app-pawl.ts", "app-inngest.ts"].map((name) =>
  fileURLToPath(new URL(name, import.meta.url)),
);

/** A process that is started anew after each kill. */
class Victim {
  readonly #start: () => Promise<Child>;
  child: Child;

  private constructor(child: Child, start: () => Promise<Child>) {
    this.child = child;
    this.#start = start;
  }

  static async born(start: () => Promise<Child>): Promise<Victim> {
    return new Victim(await start(), start);
  }

  /** Kills it, starts it again, and resolves with the time until it was ready, in ms. */
  async killAndRestart(): Promise<number> {
    const began = performance.now();
    await this.child.stop("SIGKILL");
    this.child = await this.#start();
    return performance.now() - began;
  }
}

/** An app of this folder, serving on the port. */
export async function startApp(
  file: string,
  port: number,
  environment: Readonly<Record<string, string>>,
): Promise<Child> {
  const child = await Child.start({
    args: [file],
    environment: { ...environment, PORT: String(port) },
  });
  try {
    await eventually("the app serves", () => child.output.includes("ready"));
  } catch (error) {
    await child.stop("SIGKILL");
    throw new Error(`${String(error)}\n${child.output}`, { cause: error });
  }
  return child;
}

/** Runs the campaign; all its processes are gone when it resolves. */
export async function runCampaign(campaign: Campaign): Promise<Outcome> {
  const dir = makeTempDir("crash");
  const effects = join(dir, "effects.jsonl");
  const dice = new Dice(campaign.seed);
  const port = await freePort();
  const url = `http://127.0.0.1:${String(port)}`;
  const environment = { EFFECTS: effects, PAWL_DEV: "1", PAWL_BASE_URL: url, INNGEST_DEV: url };
  const started: Victim[] = [];
  try {
    const appUrls: string[] = [];
    for (const file of appFiles) {
      const appPort = await freePort();
      appUrls.push(`http://127.0.0.1:${String(appPort)}/api/inngest`);
      started.push(await Victim.born(() => startApp(file, appPort, environment)));
    }
    const flags = ["--no-poll", "--retry-interval", "1"];
    const server = await Victim.born(
      async () => (await PawlServer.start({ dir, port, apps: appUrls, flags })).child,
    );
    started.push(server);
    await functionsKnown(url, 4).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${server.child.output}`, { cause: error });
    });
    const load = new Load({ url, dice });
    const victims = campaign.victim === "server" ? [server] : started.slice(0, -1);
    const recoveryMs = await killAll(campaign, dice, victims, load);
    const accepted = await load.settled();
    // Whether all have ended is for the verdict to say, run by run.
    const endings = new Endings(url, effects);
    await eventually("all runs have ended", () => endings.are(accepted.length * 2), {
      withinMs: campaign.peaceMs,
      everyMs: 200,
    }).catch(() => undefined);
    const verdict = await judge(url, effects, accepted);
    const { code: exitCode } = await server.child.stop("SIGTERM", 20_000);
    const doctor = await examine(dir);
    const { output } = server.child;
    const { failedTries } = load;
    return {
      verdict,
      accepted: accepted.length,
      failedTries,
      recoveryMs,
      exitCode,
      doctor,
      output,
    };
  } finally {
    await Promise.all(started.map(({ child }) => child.stop("SIGKILL")));
  }
}

async function killAll(
  { kills, lifeMs, eventsPerLife }: Campaign,
  dice: Dice,
  victims: readonly Victim[],
  load: Load,
): Promise<number[]> {
  const recoveryMs: number[] = [];
  for (let kill = 0; kill < kills; kill++) {
    load.wave(eventsPerLife, lifeMs[1]);
    await pause(dice.between(...lifeMs));
    const victim = victims[dice.between(0, victims.length - 1)];
    if (victim !== undefined) recoveryMs.push(await victim.killAndRestart());
  }
  return recoveryMs;
}

/** Resolves when the server knows so many functions. */
export function functionsKnown(url: string, count: number): Promise<boolean> {
  return eventually("the functions are known", async () => {
    const info: unknown = await (await fetch(`${url}/dev`)).json();
    // proof: the documented shape of the route
    return (info as { functions: unknown[] }).functions.length >= count;
  });
}
