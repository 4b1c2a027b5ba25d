// Runs one GraphQL request: parsed, checked, bounded, executed. Failures of fields become entries
// of `errors` with a code; what nobody foresaw is told without its details. It must not know what
// the fields mean.
import {
  buildSchema,
  execute,
  GraphQLError,
  Kind,
  parse,
  validate,
  type ASTNode,
  type DocumentNode,
  type GraphQLFormattedError,
  type GraphQLSchema,
} from "graphql";
import { scopeMissing, type Caller } from "../../auth/scopes.ts";
import type { ApiContext } from "../context.ts";
import { explainFailure } from "../context.ts";
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

const tokensMax = 4_000;
const depthMax = 20;
/** Types lead back to each other, so fields are bounded too: a depth alone allows far too many. */
const fieldsMax = 1_000;

/** Runs requests on one schema. */
export function createExecutor(context: ApiContext): Executor {
  const schema = buildSchema(typeDefinitions);
  const rootValue = rootFields(context);
  return async ({ query, variables, operationName }, caller) => {
    const checked = check(schema, query);
    if ("errors" in checked) return checked;
    const lacking = missingScope(schema, checked.document, caller);
    if (lacking !== null) {
      const extensions = { code: "access_denied" };
      return { errors: [{ message: scopeMissing(lacking), extensions }] };
    }
    const result = await execute({
      schema,
      document: checked.document,
      rootValue,
      variableValues: variables,
      operationName,
    });
    const { data, errors } = result;
    return {
      ...(data === undefined ? null : { data }),
      ...(errors === undefined
        ? null
        : { errors: errors.map((error) => written(error, context.onFault)) }),
    };
  };
}

function check(
  schema: GraphQLSchema,
  query: string,
): { readonly document: DocumentNode } | { readonly errors: readonly GraphQLFormattedError[] } {
  try {
    const document = parse(query, { maxTokens: tokensMax });
    const errors = validate(schema, document);
    if (errors.length > 0) return { errors: errors.map((error) => error.toJSON()) };
    const problem = sizeProblem(document);
    return problem === null ? { document } : { errors: [{ message: problem }] };
  } catch (error) {
    if (error instanceof GraphQLError) return { errors: [error.toJSON()] };
    throw error;
  }
}

/** Why a valid document is too much; null when it is not. */
function sizeProblem(document: DocumentNode): string | null {
  const fragments = new Map<string, ASTNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) {
      fragments.set(definition.name.value, definition.selectionSet);
    }
  }
  let fields = 0;
  const isTooLarge = (node: ASTNode | undefined, depth: number): boolean => {
    if (node === undefined) return false;
    if (depth > depthMax || fields > fieldsMax) return true;
    switch (node.kind) {
      case Kind.SELECTION_SET:
        return node.selections.some((selection) => isTooLarge(selection, depth));
      case Kind.FIELD:
        fields += 1;
        return isTooLarge(node.selectionSet, depth + 1);
      case Kind.INLINE_FRAGMENT:
        return isTooLarge(node.selectionSet, depth);
      case Kind.FRAGMENT_SPREAD:
        return isTooLarge(fragments.get(node.name.value), depth);
      case Kind.OPERATION_DEFINITION:
        return isTooLarge(node.selectionSet, depth);
      default:
        return false;
    }
  };
  const operations = document.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
  if (!operations.some((operation) => isTooLarge(operation, 0))) return null;
  return `The query is too large: ${String(depthMax)} levels and ${String(fieldsMax)} fields are allowed.`;
}

function written(error: GraphQLError, onFault: (error: unknown) => void): GraphQLFormattedError {
  const { originalError } = error;
  const formatted = error.toJSON();
  if (originalError === undefined || originalError instanceof GraphQLError) return formatted;
  const problem = explainFailure(originalError);
  if (problem === null) {
    onFault(originalError);
    return { ...formatted, message: "The server failed.", extensions: { code: "internal" } };
  }
  const { code, message, position } = problem;
  const extensions = { code, ...(position === undefined ? null : { position }) };
  return { ...formatted, message, extensions };
}
