// The simulated apps: they take calls and play programs in virtual time, whether or not the server
// that called them is still there. It must not know the engine; it sees what a real app sees.
import type { Answer } from "@pawl/protocol/answer";
import { toJsonText } from "@pawl/protocol/json-text";
import type { Opcode } from "@pawl/protocol/opcode";
import type { Call, GatewayStep } from "@pawl/server/driver/driver";
import type { Agenda } from "../agenda.ts";
import type { Dice } from "../dice.ts";
import type { Faults } from "../faults.ts";
import { LazyOpcodes } from "./lazy.ts";
import {
  dataMemo,
  functionThrew,
  nothing,
  notFound,
  opening,
  ran,
  returned,
  threw,
} from "./opcodes.ts";
import { explore, stepHash, type OpenStep, type Program, type StepNode } from "./program.ts";
import { readRequest, type AppRequest } from "./request.ts";

/** What the apps need of the world around them. */
export interface Surroundings {
  readonly agenda: Agenda;
  readonly faults: Faults;
  readonly dice: Dice;
  readonly programs: ReadonlyMap<string, Program>;
  /** Tells the server of finished steps while the call goes on. */
  checkpoint(
    request: AppRequest,
    opcodes: readonly Opcode[],
  ): Promise<"saved" | "stale" | "unreachable">;
  /** Sends an event of this name from within a step. */
  send(name: string): void;
  /** User code of a step returned this memo. */
  executed(request: Pick<AppRequest, "runId" | "requestId">, stepId: string, memo: string): void;
}

/** How a call ended for the app: with an answer, or with the end of the app or of the connection. */
export type Outcome = Answer | "crashed" | "hung";

type RunNode = Extract<StepNode, { kind: "run" }>;
type FetchNode = Extract<StepNode, { kind: "fetch" }>;

/** The app is gone in the middle of a call. */
class AppCrash extends Error {}

export class AppHost {
  readonly #world: Surroundings;
  #executions = 0;
  /** Requests that a site let fail, by run and step. */
  readonly #failures = new Map<string, number>();
  #busy = 0;

  constructor(world: Surroundings) {
    this.#world = world;
  }

  /** Calls that apps work on. */
  get busy(): number {
    return this.#busy;
  }

  /** Works on a call. Never rejects. */
  async receive(call: Call): Promise<Outcome> {
    if (call.gateway !== null) return this.#perform(call, call.gateway);
    const { agenda, dice, faults, programs } = this.#world;
    const request = readRequest(call);
    const program = programs.get(request.slug);
    if (program === undefined)
      throw new Error(`the server called ${request.slug}, which no app has`);
    this.#busy++;
    try {
      await agenda.sleep(dice.below(4));
      if (faults.strikes("appHung", request.requestId)) return "hung";
      return request.target === "step"
        ? await this.#discover(program, request)
        : await this.#runTarget(program, request);
    } catch (error) {
      if (error instanceof AppCrash) return "crashed";
      throw error;
    } finally {
      this.#busy--;
    }
  }

  /** The site that a request of the server goes to; it fails as often as the step says. */
  async #perform(call: Call, { face }: GatewayStep): Promise<Outcome> {
    const { agenda, faults } = this.#world;
    const node = JSON.parse(call.body) as FetchNode; // proof: `opening` wrote it
    const step = `${call.runId}/${face.id}`;
    this.#busy++;
    try {
      await agenda.sleep(node.takesMs);
      if (faults.strikes("appHung", call.requestId)) return "hung";
      const failures = this.#failures.get(step) ?? 0;
      if (failures < node.failures) {
        this.#failures.set(step, failures + 1);
        return performed(threw(node, face.race, false));
      }
      const memo = toJsonText({ data: { n: ++this.#executions } });
      this.#world.executed(call, face.id, memo);
      return performed(ran(node, face.race, memo));
    } finally {
      this.#busy--;
    }
  }

  async #runTarget(program: Program, request: AppRequest): Promise<Answer> {
    const found = explore(program, request.memos, Number.POSITIVE_INFINITY);
    const open = found.kind === "blocked" ? found.open : [];
    const step = open.find(({ node }) => stepHash(node.id) === request.target);
    if (step === undefined || step.node.kind !== "run")
      return answer(program, [notFound(request.target)]);
    const opcode = await this.#run(program, request, step.node, step.race, request.attempt);
    const lazy = new LazyOpcodes(program, request.defers).take(request.memos.size);
    return answer(program, [opcode, ...lazy]);
  }

  async #discover(program: Program, request: AppRequest): Promise<Answer> {
    const memos = new Map(request.memos);
    const lazy = new LazyOpcodes(program, request.defers);
    let unsaved: Opcode[] = [];
    let { attempt } = request;
    for (;;) {
      const found = explore(program, memos, request.attempt);
      const steps = unsaved.length;
      unsaved.push(...lazy.take(memos.size));
      if (found.kind === "returned") return this.#return(program, request, found.value, unsaved);
      if (found.kind === "threw") {
        if (steps > 0) return answer(program, unsaved);
        return failure(program, found.from === "step", unsaved);
      }
      const step = onlyRun(found.open);
      if (step === null || !request.immediate)
        return answer(program, [...unsaved, ...found.open.map(opening)]);
      const opcode = await this.#run(program, request, step.node, step.race, attempt);
      attempt = 0;
      unsaved.push(opcode);
      if (opcode.op !== "StepRun" || !program.checkpoints || request.attempt > 0)
        return answer(program, unsaved);
      memos.set(opcode.id, opcode.memo);
      const outcome = await this.#checkpoint(request, unsaved);
      if (outcome === "stale") return answer(program, [nothing()]);
      if (outcome === "saved") unsaved = [];
      else if (this.#world.dice.chance(0.5)) return answer(program, unsaved);
    }
  }

  async #return(
    program: Program,
    request: AppRequest,
    value: string,
    unsaved: readonly Opcode[],
  ): Promise<Answer> {
    if (!program.checkpoints && unsaved.length === 0)
      return { kind: "completed", memo: dataMemo(value), requestVersion: program.version };
    const opcodes = [...unsaved, returned(value)];
    if (
      program.checkpoints &&
      this.#world.dice.chance(0.3) &&
      (await this.#checkpoint(request, opcodes)) !== "unreachable"
    ) {
      return answer(program, [nothing()]);
    }
    return answer(program, opcodes);
  }

  async #checkpoint(
    request: AppRequest,
    opcodes: readonly Opcode[],
  ): Promise<"saved" | "stale" | "unreachable"> {
    const first = await this.#world.checkpoint(request, opcodes);
    if (first !== "unreachable" || this.#world.dice.chance(0.5)) return first;
    await this.#world.agenda.sleep(100);
    return this.#world.checkpoint(request, opcodes);
  }

  /** Runs the code of a step once. */
  async #run(
    program: Program,
    request: AppRequest,
    node: RunNode,
    race: boolean,
    attempt: number,
  ): Promise<Opcode> {
    const { agenda, faults } = this.#world;
    const where = `${request.requestId} in ${node.id}`;
    if (faults.strikes("appCrashed", `${where}, before it`)) throw new AppCrash();
    await agenda.sleep(node.takesMs);
    if (attempt < node.failures) {
      const last = attempt >= (node.retries ?? request.attemptsMax - 1);
      return threw(node, race, last && program.version >= 2);
    }
    const memo = toJsonText({ data: { n: ++this.#executions } });
    this.#world.executed(request, stepHash(node.id), memo);
    if (node.sends !== null) this.#world.send(node.sends);
    if (faults.strikes("appCrashed", `${where}, after it`)) throw new AppCrash();
    return ran(node, race, memo);
  }
}

/** The one open step, when there is only one and user code can run it. */
function onlyRun(
  open: readonly OpenStep[],
): { readonly node: RunNode; readonly race: boolean } | null {
  const [step] = open;
  if (step === undefined || open.length > 1 || step.node.kind !== "run") return null;
  return { node: step.node, race: step.race };
}

function answer(program: Program, opcodes: readonly Opcode[]): Answer {
  return { kind: "opcodes", opcodes, retryAfterMs: null, requestVersion: program.version };
}

/** The answer of the driver that performed a request. */
function performed(opcode: Opcode): Answer {
  return { kind: "opcodes", opcodes: [opcode], retryAfterMs: null, requestVersion: null };
}

function failure(program: Program, noRetry: boolean, lazy: readonly Opcode[]): Answer {
  const error = toJsonText({ name: "Error", message: "user code threw" });
  if (lazy.length > 0) return answer(program, [...lazy, functionThrew(error, noRetry)]);
  return { kind: "failed", error, noRetry, retryAfterMs: null, requestVersion: program.version };
}
