// The limits of one GraphQL request as values, for options: apart from the code that needs the library.

/** Limits of one request; above them it is refused with `query_too_large`. */
export interface GraphqlLimits {
  /** Levels of fields within each other. */
  readonly depthMax: number;
  /** Fields as they are written, those of a fragment once for each use. */
  readonly fieldsMax: number;
  /** Fields under another name than their own. */
  readonly aliasesMax: number;
  /** Fields of the answer. */
  readonly valuesMax: number;
}

/** What holds when nothing else is chosen. */
export const defaultGraphqlLimits: GraphqlLimits = {
  depthMax: 20,
  fieldsMax: 1_000,
  aliasesMax: 100,
  valuesMax: 200_000,
};
