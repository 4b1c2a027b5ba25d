// What a call of a program defers, as SDKs send it: with whatever message goes out next, unless the
// server knows it. It must not know what the server makes of it.
import { toJsonText } from "@pawl/protocol/json-text";
import type { Opcode } from "@pawl/protocol/opcode";
import { bare } from "./opcodes.ts";
import { stepHash, type DeferPlan, type Program } from "./program.ts";

export class LazyOpcodes {
  readonly #plans: readonly DeferPlan[];
  readonly #known: ReadonlyMap<string, boolean>;
  readonly #sent = new Set<string>();

  /** `known`: by hashed id, and whether it may still be aborted. */
  constructor({ defers = [] }: Program, known: ReadonlyMap<string, boolean>) {
    this.#plans = defers;
    this.#known = known;
  }

  /** What goes out with a message, when user code has got as far as so many steps. */
  take(steps: number): Opcode[] {
    return this.#plans.flatMap((plan) => this.#opcodesOf(plan, steps));
  }

  #opcodesOf(plan: DeferPlan, steps: number): Opcode[] {
    const hash = stepHash(plan.id);
    const opcodes: Opcode[] = [];
    const isTakenBack = plan.abortFrom !== null && steps >= plan.abortFrom;
    // Taken back before it went out, it never does.
    if (!this.#known.has(hash) && !isTakenBack && this.#isFirst(plan.id)) {
      opcodes.push({
        ...bare(plan.id),
        id: hash,
        op: "DeferAdd",
        functionSlug: plan.slug,
        input: toJsonText({ key: plan.key }),
        meta: null,
        problem: null,
      });
    }
    if (isTakenBack && this.#known.get(hash) !== false && this.#isFirst(`${plan.id}:abort`))
      opcodes.push({ ...bare(`${plan.id}:abort`), op: "DeferAbort", targetId: hash });
    return opcodes;
  }

  #isFirst(what: string): boolean {
    if (this.#sent.has(what)) return false;
    this.#sent.add(what);
    return true;
  }
}
