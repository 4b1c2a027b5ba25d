// Runs one GraphQL request: parsed, checked, bounded, executed. Failures of fields become entries
// of `errors` with a code; what nobody foresaw is told without its details. It must not know what
// the fields mean.
import {
  buildSchema,
  defaultFieldResolver,
  execute,
  GraphQLError,
  parse,
  validate,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLFieldResolver,
  type GraphQLFormattedError,
  type GraphQLSchema,
} from "graphql";
import { scopeMissing, type Caller } from "../../auth/scopes.ts";
import type { ApiContext } from "../context.ts";
import { explainFailure } from "../context.ts";
import type { GraphqlLimits } from "./limit-values.ts";
import { exceeded, tooLarge } from "./limits.ts";
import { rootFields } from "./root.ts";
import { missingScope } from "./scopes.ts";
import { typeDefinitions } from "./schema.ts";

export interface GraphqlRequest {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly operationName: string | null;
}

export interface GraphqlAnswer {
  readonly data?: unknown;
  readonly errors?: readonly GraphQLFormattedError[];
}

/** Runs one request for a caller. */
export type Executor = (request: GraphqlRequest, caller: Caller) => Promise<GraphqlAnswer>;

/** Text with more tokens than this for each allowed field is not parsed. */
const tokensPerField = 4;

/** Runs requests on one schema. */
export function createExecutor(context: ApiContext): Executor {
  const schema = buildSchema(typeDefinitions);
  const rootValue = rootFields(context);
  const limits = context.graphqlLimits;
  return async ({ query, variables, operationName }, caller) => {
    const checked = check(schema, query, limits);
    if ("errors" in checked) return checked;
    const lacking = missingScope(schema, checked.document, caller);
    if (lacking !== null) return refusal("access_denied", scopeMissing(lacking));
    const { fieldResolver, isSpent } = countedResolver(limits.valuesMax);
    const running = execute({
      schema,
      document: checked.document,
      rootValue,
      variableValues: variables,
      operationName,
      fieldResolver,
    });
    const result = await Promise.race([running, isSpent]);
    if (result === "spent") {
      const { code, message } = tooLarge(limits, "valuesMax");
      return refusal(code, message);
    }
    return answerOf(result, context.onFault);
  };
}

function answerOf(
  { data, errors }: ExecutionResult,
  onFault: (error: unknown) => void,
): GraphqlAnswer {
  return {
    ...(data === undefined ? null : { data }),
    ...(errors === undefined ? null : { errors: errors.map((error) => written(error, onFault)) }),
  };
}

/** Resolves fields until there are too many. Those beyond never come, so that nothing follows of them. */
function countedResolver(valuesMax: number): {
  readonly fieldResolver: GraphQLFieldResolver<unknown, unknown>;
  readonly isSpent: Promise<"spent">;
} {
  const { promise: isSpent, resolve } = Promise.withResolvers<"spent">();
  const never = new Promise<never>(() => undefined);
  let values = 0;
  return {
    isSpent,
    fieldResolver: (source, args, given, info) => {
      values += 1;
      if (values <= valuesMax) return defaultFieldResolver(source, args, given, info);
      resolve("spent");
      return never;
    },
  };
}

function check(
  schema: GraphQLSchema,
  query: string,
  limits: GraphqlLimits,
): { readonly document: DocumentNode } | { readonly errors: readonly GraphQLFormattedError[] } {
  try {
    const document = parse(query, { maxTokens: limits.fieldsMax * tokensPerField });
    const limit = exceeded(document, limits);
    if (limit !== null) {
      const { code, message } = tooLarge(limits, limit);
      return refusal(code, message);
    }
    const errors = validate(schema, document);
    return errors.length === 0 ? { document } : { errors: errors.map(invalid) };
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    if (!error.message.includes("Parsing aborted")) return { errors: [invalid(error)] };
    const { code, message } = tooLarge(limits, "fieldsMax");
    return refusal(code, message);
  }
}

function refusal(
  code: string,
  message: string,
): { readonly errors: readonly GraphQLFormattedError[] } {
  return { errors: [{ message, extensions: { code } }] };
}

/** The query itself, or its variables, cannot be used. */
function invalid(error: GraphQLError): GraphQLFormattedError {
  return { ...error.toJSON(), extensions: { code: "query_invalid" } };
}

function written(error: GraphQLError, onFault: (error: unknown) => void): GraphQLFormattedError {
  const { originalError } = error;
  const formatted = error.toJSON();
  if (originalError === undefined || originalError instanceof GraphQLError) return invalid(error);
  const problem = explainFailure(originalError);
  if (problem === null) {
    onFault(originalError);
    return { ...formatted, message: "The server failed.", extensions: { code: "internal" } };
  }
  const { code, message, position } = problem;
  const extensions = { code, ...(position === undefined ? null : { position }) };
  return { ...formatted, message, extensions };
}
