// What a tool of the MCP endpoint is: its description, its schema, and what it does. It must not
// know the protocol around it.
import type { z } from "zod";
import type { JsonText } from "@pawl/protocol/json-text";
import type { Scope } from "../../auth/scopes.ts";

/** What a client may expect of a tool (MCP, tool annotations). */
export interface ToolHints {
  readonly readOnlyHint: boolean;
  readonly destructiveHint: boolean;
  readonly idempotentHint: boolean;
  readonly openWorldHint: boolean;
}

export interface Tool {
  readonly name: string;
  readonly description: string;
  readonly input: z.ZodObject;
  readonly hints: ToolHints;
  /** What a caller must be allowed to do; null: any key will do. */
  readonly scope: Scope | null;
  /**
   * Arguments that passed the schema, and their text as it arrived. Resolves to JSON, or to JSON that
   * says why it cannot be done; else rejects with what `explainFailure` knows.
   */
  readonly run: (
    input: unknown,
    text: JsonText,
  ) => Promise<JsonText | { readonly refused: JsonText }>;
}

interface ToolParts<S extends z.ZodObject> extends Omit<Tool, "run" | "input"> {
  readonly input: S;
  readonly run: (input: z.output<S>, text: JsonText) => Promise<JsonText>;
}

/** A tool whose `run` gets what its schema lets through. */
export function tool<S extends z.ZodObject>({ run, ...parts }: ToolParts<S>): Tool {
  return {
    ...parts,
    run: (input, text) => run(input as z.output<S>, text), // proof: the caller parses with `input`
  };
}

/** A tool that only looks. */
export const looks: ToolHints = {
  readOnlyHint: true,
  destructiveHint: false,
  idempotentHint: true,
  openWorldHint: false,
};

/** A tool that makes user code run, which may reach anything. */
export const starts: ToolHints = {
  readOnlyHint: false,
  destructiveHint: false,
  idempotentHint: false,
  openWorldHint: true,
};
