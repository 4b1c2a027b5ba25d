// How the simulated apps register their functions.
import type { CronTrigger, EventTrigger } from "@pawl/engine/records";
import type { CommandInput } from "@pawl/server/loop/batch";
import { deferredEventName } from "@pawl/protocol/event-wire";
import { toJsonText } from "@pawl/protocol/json-text";
import { configOf, type ProgramFlow } from "./app/flow.ts";
import type { Program } from "./app/program.ts";

/** The id under which a program's function is registered. */
export function functionIdOf(program: Program): string {
  return `function-${program.slug}`;
}

/** What is registered at a time: functions that are absent are gone. */
export interface Deployment {
  /** Goes into the configuration: another one, another version. */
  readonly revision: number;
  /** With the cron lines of programs. */
  readonly hasCrons: boolean;
  /** Flow control of the functions that are there, by slug. */
  readonly flows: ReadonlyMap<string, ProgramFlow>;
}

/** One command for each app. */
export function registrations(
  programs: readonly Program[],
  { revision, hasCrons, flows }: Deployment,
): CommandInput[] {
  const apps = [...new Set(programs.map((program) => program.app))];
  return apps.map((app) => {
    const own = programs.filter((program) => program.app === app);
    const speaksPawl = own.every((program) => program.version === 3);
    return {
      type: "app.synced",
      app: {
        id: `id-${app}`,
        name: app,
        url: `sim://${app}/api`,
        sdk: speaksPawl ? "pawl-js:v0.1.0" : "js:v4.24.0",
        framework: null,
        platform: null,
        appVersion: null,
        checksum: `${app}-${revision}`,
      },
      functions: own
        .filter(({ slug }) => flows.has(slug))
        .map((program) => ({
          id: functionIdOf(program),
          slug: program.slug,
          name: program.slug,
          url: `sim://${app}/api?fnId=${program.slug}&stepId=step`,
          triggers: [
            { kind: "event" as const, event: program.trigger, expression: null },
            ...(isDeferred(program, programs) ? [deferredTrigger(program)] : []),
            ...(hasCrons ? cronTriggers(program) : []),
          ],
          retries: program.retries,
          config: toJsonText({ revision, ...configOf(flows.get(program.slug)) }),
        })),
    };
  });
}

function isDeferred({ slug }: Program, programs: readonly Program[]): boolean {
  return programs.some(({ defers = [] }) => defers.some((plan) => plan.slug === slug));
}

function deferredTrigger({ slug }: Program): EventTrigger {
  const expression = `event.data._inngest.fn_slug == '${slug}'`;
  return { kind: "event", event: deferredEventName, expression };
}

function cronTriggers({ cronMs }: Program): CronTrigger[] {
  return cronMs === undefined ? [] : [{ kind: "cron", cron: `*/${cronMs / 1_000} * * * * *` }];
}
