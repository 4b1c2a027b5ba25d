// The errors that apps report for a step or a function. Each SDK has its own shape (protocol.md
// 2.3); behind this file an error always is an object with `name` and `message`, and whatever
// else the app sent is kept as it arrived.
import { membersOf } from "./json-span.ts";
import { type JsonText, type JsonValue, toJsonText } from "./json-text.ts";
import { isJsonObject } from "./object-reader.ts";

/** What is said of an error that came without a message. */
export interface ErrorDefaults {
  readonly message: string;
  /** Added when the app's error has no `code` of its own; null adds none. */
  readonly code?: string | null;
}

/**
 * The error as `{"name", "message", …}`. An object that has both as strings passes unchanged
 * (a missing `code` is appended when one is given); other objects get them in front, with
 * `error` (a string, older SDKs) as the message; any other value becomes the message.
 */
export function readError(value: JsonValue, source: JsonText, defaults: ErrorDefaults): JsonText {
  if (!isJsonObject(value)) return plainError(value, source, defaults);
  const { name, message, error } = value;
  const code = defaults.code ?? null;
  const complete = typeof name === "string" && typeof message === "string";
  if (complete && (code === null || Object.hasOwn(value, "code"))) return source;
  const members = membersOf(source);
  const parts = [
    `"name":${typeof name === "string" && name !== "" ? members.get("name") : '"Error"'}`,
    `"message":${toJsonText(firstText(message, error) ?? defaults.message)}`,
  ];
  for (const [key, text] of members) {
    if (key !== "name" && key !== "message") parts.push(`${toJsonText(key)}:${text}`);
  }
  if (code !== null && !members.has("code")) parts.push(`"code":${toJsonText(code)}`);
  return `{${parts.join(",")}}` as JsonText; // proof: an object of quoted keys and JSON values
}

function plainError(value: JsonValue, source: JsonText, defaults: ErrorDefaults): JsonText {
  const message = typeof value === "string" ? value : value === null ? "" : source;
  const code = defaults.code ?? null;
  return toJsonText({
    name: "Error",
    message: message === "" ? defaults.message : message,
    ...(code === null ? {} : { code }),
  });
}

function firstText(...candidates: readonly (JsonValue | undefined)[]): string | null {
  for (const candidate of candidates) {
    if (typeof candidate === "string" && candidate !== "") return candidate;
  }
  return null;
}
