// Reading `DeferAdd` and `DeferAbort` (protocol.md 2.5, 5.6). What is wrong with a deferral never
// fails the answer that brings it: it is noted, and the engine keeps it as a rejection.
import { withoutInternal } from "./event-wire.ts";
import type { JsonText } from "./json-text.ts";
import { isJsonObject, type ObjectReader } from "./object-reader.ts";
import type { DeferAbortOpcode, DeferAddOpcode, OpcodeFace } from "./opcode.ts";
import { ProtocolError } from "./protocol-error.ts";
import { readMeta } from "./session-wire.ts";

interface Reading {
  readonly opts: ObjectReader;
  readonly base: OpcodeFace;
}

/** Longer ones name no function that can be registered. */
const slugCharsMax = 512;
const noInput = "{}" as JsonText; // proof: an empty object is JSON

/** `opts {fn_slug, input, meta?}`. The copy of the options for people is left out: it is the input. */
export function readDeferAdd({ opts, base }: Reading): DeferAddOpcode {
  const opcode = { ...base, op: "DeferAdd", opts: null } as const;
  const functionSlug = slugOf(opts);
  const input = opts.get("input");
  if (functionSlug === "") return { ...opcode, ...rejected("it names no function (fn_slug)") };
  if (input !== undefined && !isJsonObject(input)) {
    return { ...opcode, ...rejected("its input is no JSON object"), functionSlug };
  }
  try {
    const text = withoutInternal(input, opts.text("input") ?? noInput);
    return {
      ...opcode,
      functionSlug,
      input: input === undefined ? noInput : text,
      meta: readMeta(opts),
      problem: null,
    };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { ...opcode, ...rejected(error.message), functionSlug };
  }
}

function rejected(problem: string) {
  return { functionSlug: "", input: noInput, meta: null, problem };
}

/** `opts {target_hashed_id}`. */
export function readDeferAbort({ opts, base }: Reading): DeferAbortOpcode {
  const targetId = opts.string("target_hashed_id");
  if (targetId === null || targetId === "" || targetId.length > slugCharsMax)
    throw opts.wrong("target_hashed_id", `an id of 1 to ${slugCharsMax} characters`);
  return { ...base, op: "DeferAbort", opts: null, targetId };
}

function slugOf(opts: ObjectReader): string {
  const slug = opts.get("fn_slug");
  return typeof slug === "string" && slug.length <= slugCharsMax ? slug : "";
}
