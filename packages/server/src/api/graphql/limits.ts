// How much one GraphQL request may ask for: how deep, how many fields and aliases are written, and how
// many values come of them. Types lead back to each other and lists multiply, so what is written says
// little about what it costs: values are counted while they are made. It must not know what they mean.
import { Kind, type ASTNode, type DocumentNode } from "graphql";
import { ServerError } from "../../server-error.ts";
import type { GraphqlLimits } from "./limit-values.ts";

const settings: Readonly<Record<keyof GraphqlLimits, readonly [what: string, setting: string]>> = {
  depthMax: ["levels of fields", "--graphql-depth-max"],
  fieldsMax: ["fields", "--graphql-fields-max"],
  aliasesMax: ["aliases", "--graphql-aliases-max"],
  valuesMax: ["values in its answer", "--graphql-values-max"],
};

/** The refusal of a request that is beyond a limit. */
export function tooLarge(limits: GraphqlLimits, name: keyof GraphqlLimits): ServerError {
  const [what, setting] = settings[name];
  const message = `The query is too large: it has more than ${String(limits[name])} ${what}, the limit of ${setting}. Ask for less at once.`;
  return new ServerError("query_too_large", message);
}

/**
 * The limit that a document is beyond; null: none. It need not be valid: validation takes time that
 * grows with the square of what is written, so this comes first.
 */
export function exceeded(
  document: DocumentNode,
  limits: GraphqlLimits,
): Exclude<keyof GraphqlLimits, "valuesMax"> | null {
  const fragments = new Map<string, ASTNode>();
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION)
      fragments.set(definition.name.value, definition.selectionSet);
  let fields = 0;
  let aliases = 0;
  const beyond = (node: ASTNode | undefined, depth: number): ReturnType<typeof exceeded> => {
    if (depth > limits.depthMax) return "depthMax";
    if (fields > limits.fieldsMax) return "fieldsMax";
    if (aliases > limits.aliasesMax) return "aliasesMax";
    switch (node?.kind) {
      case Kind.SELECTION_SET: {
        for (const selection of node.selections) {
          const found = beyond(selection, depth);
          if (found !== null) return found;
        }
        return null;
      }
      case Kind.FIELD:
        fields += 1;
        if (node.alias !== undefined) aliases += 1;
        return beyond(node.selectionSet, depth + 1);
      case Kind.FRAGMENT_SPREAD:
        // Counted, too: fragments that lead to each other and nowhere else end by it.
        fields += 1;
        return beyond(fragments.get(node.name.value), depth);
      case Kind.INLINE_FRAGMENT:
      case Kind.OPERATION_DEFINITION:
        return beyond(node.selectionSet, depth);
      default:
        return null;
    }
  };
  for (const definition of document.definitions) {
    const found = definition.kind === Kind.OPERATION_DEFINITION ? beyond(definition, 0) : null;
    if (found !== null) return found;
  }
  return fields > limits.fieldsMax
    ? "fieldsMax"
    : aliases > limits.aliasesMax
      ? "aliasesMax"
      : null;
}
