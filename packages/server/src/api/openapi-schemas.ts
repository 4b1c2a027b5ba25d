// Schemas as an OpenAPI document holds them: without references that lead out of it. Those with a name
// (`meta({ id })`) are written once, beside the others. It must not know routes.
import { z } from "zod";

/** A JSON schema of the draft that OpenAPI 3.1 takes, 2020-12. */
export type Schema = Readonly<Record<string, unknown>>;

const local = "#/$defs/";
/** `z.json()` refers to itself under a name like this; any JSON needs no schema. */
const unnamed = /^__schema\d+$/;

/** Writes schemas and gathers the named ones. One per document. */
export class Schemas {
  readonly #named: Record<string, unknown> = {};

  /** By name, once all schemas are written. */
  get named(): Readonly<Record<string, unknown>> {
    return this.#named;
  }

  /** What a client may send, or gets: before defaults and transformations. */
  of(schema: z.core.$ZodType): Schema {
    const written = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
    const { $schema: _, $defs: definitions = {}, ...rest } = written;
    for (const [name, definition] of Object.entries(definitions))
      if (!unnamed.test(name)) this.#named[name] = portable(definition);
    return portableObject(rest);
  }
}

function portable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(portable);
  return typeof value === "object" && value !== null ? portableObject(value) : value;
}

function portableObject(value: object): Schema {
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, member]): (readonly [string, unknown])[] => {
      if (key !== "$ref" || typeof member !== "string" || !member.startsWith(local))
        return [[key, portable(member)]];
      const name = member.slice(local.length);
      return unnamed.test(name) ? [] : [[key, `#/components/schemas/${name}`]];
    }),
  );
}
