// Which scopes a GraphQL query needs: what its fields show decides, wherever in the query they stand.
// What is not listed needs `admin`, so that a new type is closed until somebody opens it. It must
// not know how fields are resolved.
import {
  getNamedType,
  isLeafType,
  TypeInfo,
  visit,
  visitWithTypeInfo,
  type DocumentNode,
  type GraphQLSchema,
} from "graphql";
import type { Caller, Scope } from "../../auth/scopes.ts";

/** By mutation. */
const scopeOfMutation: ReadonlyMap<string, Scope> = new Map([
  ["createApp", "apps:write"],
  ["updateApp", "apps:write"],
  ["deleteApp", "apps:write"],
  ["deleteAppByName", "apps:write"],
  ["invokeFunction", "runs:write"],
  ["cancelRun", "runs:write"],
  ["rerun", "runs:write"],
  ["createDebugSession", "runs:write"],
]);

const typesOfScope: readonly (readonly [Scope, readonly string[]])[] = [
  [
    "apps:read",
    [
      "App",
      "Function",
      "FunctionTrigger",
      "ConnectV1WorkerConnection",
      "ConnectV1WorkerConnectionEdge",
      "ConnectV1WorkerConnectionsConnection",
    ],
  ],
  ["events:read", ["StreamItem", "Event", "EventV2", "EventsEdge", "EventsConnection"]],
  [
    "runs:read",
    [
      "FunctionRun",
      "FunctionRunV2",
      "FunctionRunV2Edge",
      "RunsV2Connection",
      "RunDefer",
      "RunDeferredFrom",
      "RunTraceSpan",
      "RunTraceSpanOutput",
      "RunTraceTrigger",
      "UserlandSpan",
      "SpanMetadata",
      "StepInfo",
      "InvokeStepInfo",
      "SleepStepInfo",
      "WaitForEventStepInfo",
      "WaitForSignalStepInfo",
      "RunStepInfo",
      "StepError",
      "CreateDebugSessionResponse",
    ],
  ],
];
const scopeOfType: ReadonlyMap<string, Scope> = new Map(
  typesOfScope.flatMap(([scope, types]) => types.map((type) => [type, scope] as const)),
);

/** Types that say nothing by themselves. */
const openTypes: ReadonlySet<string> = new Set(["Query", "Mutation", "PageInfo"]);

/** A scope that a valid document needs and the caller lacks; null: there is none. */
export function missingScope(
  schema: GraphQLSchema,
  document: DocumentNode,
  caller: Caller,
): Scope | null {
  const needed = new Set<Scope>();
  const info = new TypeInfo(schema);
  visit(
    document,
    visitWithTypeInfo(info, {
      Field: () => {
        for (const scope of scopesOfField(info)) needed.add(scope);
      },
    }),
  );
  return [...needed].find((scope) => !caller.may(scope)) ?? null;
}

function scopesOfField(info: TypeInfo): readonly Scope[] {
  const parent = info.getParentType()?.name ?? "";
  const field = info.getFieldDef();
  const scopes: Scope[] = [];
  // `__typename` and the like describe the schema, which the documentation does, too.
  if (field === null || field === undefined || field.name.startsWith("__")) return scopes;
  if (parent === "Mutation") scopes.push(scopeOfMutation.get(field.name) ?? "admin");
  const type = getNamedType(field.type);
  if (!isLeafType(type)) scopes.push(...scopesOfType(type.name));
  return [...scopes, ...scopesOfType(parent)];
}

function scopesOfType(name: string): readonly Scope[] {
  if (openTypes.has(name) || name.startsWith("__")) return [];
  return [scopeOfType.get(name) ?? "admin"];
}
