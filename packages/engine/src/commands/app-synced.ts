// An app registers its functions.
import { compileExpression } from "../expression/compile.ts";
import { ExpressionError } from "../expression/expression-error.ts";
import type { AppSynced } from "../commands.ts";
import type { Decision, Reply } from "../decision.ts";
import { Draft } from "../draft.ts";
import type { AppRecord, FunctionRecord, Trigger } from "../records.ts";
import type { StateView } from "../state/view.ts";
import { flowProblem, type FlowProblem } from "../flow/problem.ts";
import { pullQueues } from "../flow/pull.ts";
import { registerSchedules, scheduleProblem } from "../schedule/registered.ts";

/** Functions of one app that are remembered while they are not registered. */
const functionsAwayMax = 1_000;

type NewFunction = AppSynced["functions"][number];
type FunctionAway = NonNullable<AppRecord["away"]>[number];

export function appSynced(state: StateView, command: AppSynced): Decision {
  const draft = new Draft(state, command);
  const before = state.app(command.app.id);
  if (before !== undefined && before.error === null && before.checksum === command.app.checksum) {
    // A database of before schedules were kept has none for it, and may have lines that cannot work.
    const unfit = firstProblem(before.functions, scheduleProblem);
    if (unfit !== null) return draft.decide({ ok: false, ...unfit });
    registerSchedules(draft, before.functions, before.functions);
    return draft.decide(synced(command, false));
  }
  const problem = findProblem(state, command);
  if (problem !== null) {
    return draft.decide({ ok: false, code: "config_invalid", message: problem });
  }
  const unfit = firstProblem(command.functions, (fn) => flowProblem(fn) ?? scheduleProblem(fn));
  if (unfit !== null) return draft.decide({ ok: false, ...unfit });
  const away = functionsAway(command, before);
  const app: AppRecord = {
    ...command.app,
    error: null,
    functions: command.functions.map((fn) => withVersion(fn, before, command.app.id)),
    ...(away.length === 0 ? null : { away }),
    createdAt: before?.createdAt ?? draft.at,
    updatedAt: draft.at,
  };
  draft.write({ type: "app.put", app });
  registerSchedules(draft, before?.functions ?? [], app.functions);
  // Limits may be higher now, and those of functions that are gone are none.
  pullQueues(draft, [...(before?.functions ?? []), ...app.functions]);
  return draft.decide(synced(command, true));
}

function firstProblem(
  functions: readonly NewFunction[],
  problemOf: (fn: NewFunction) => FlowProblem | null,
): FlowProblem | null {
  for (const fn of functions) {
    const problem = problemOf(fn);
    if (problem !== null) return problem;
  }
  return null;
}

function synced(command: AppSynced, modified: boolean): Reply {
  return { ok: true, value: { type: "synced", appId: command.app.id, modified } };
}

function withVersion(
  fn: NewFunction,
  before: AppRecord | undefined,
  appId: string,
): FunctionRecord {
  const old = before?.functions.find((known) => known.id === fn.id);
  const version = old === undefined ? 1 : old.config === fn.config ? old.version : old.version + 1;
  const decided = old ?? before?.away?.find((known) => known.id === fn.id);
  const limits = decided?.limits === undefined ? null : { limits: decided.limits };
  return { ...fn, appId, version, pausedAt: decided?.pausedAt ?? null, ...limits };
}

/** Functions that are left out, now or before, about which people decided something. */
function functionsAway(
  { functions }: AppSynced,
  before: AppRecord | undefined,
): readonly FunctionAway[] {
  const here = new Set(functions.map(({ id }) => id));
  const leaving = (before?.functions ?? []).flatMap(
    ({ id, pausedAt, limits }): readonly FunctionAway[] =>
      pausedAt === null && limits === undefined
        ? []
        : [{ id, pausedAt, ...(limits === undefined ? null : { limits }) }],
  );
  return [...(before?.away ?? []), ...leaving]
    .filter(({ id }) => !here.has(id))
    .slice(-functionsAwayMax);
}

/** The first reason why the registration cannot work, as a sentence; null when there is none. */
function findProblem(state: StateView, command: AppSynced): string | null {
  const slugs = new Set<string>();
  for (const fn of command.functions) {
    if (slugs.has(fn.slug))
      return `App "${command.app.name}" registers function "${fn.slug}" twice. Give each function its own id.`;
    slugs.add(fn.slug);
    const owner = state.functionBySlug(fn.slug);
    if (owner !== undefined && owner.appId !== command.app.id) {
      const other = state.app(owner.appId)?.name ?? owner.appId;
      return `Function "${fn.slug}" of app "${command.app.name}" already belongs to app "${other}". Change the id of one of them.`;
    }
    for (const trigger of fn.triggers) {
      const problem = triggerProblem(fn, trigger);
      if (problem !== null) return problem;
    }
  }
  return null;
}

function triggerProblem(fn: NewFunction, trigger: Trigger): string | null {
  if (trigger.kind !== "event" || trigger.expression === null) return null;
  try {
    compileExpression(trigger.expression);
    return null;
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return `The expression "${trigger.expression}" in a trigger of function "${fn.slug}" (event "${trigger.event}") cannot be used: ${error.message}`;
  }
}
