// What an option may hold, each kind as a way to read it: numbers, texts, lists, keys. It must not know
// which options there are, nor where their values come from.
import { readApiKeys, type ApiKey } from "../auth/api-key.ts";
import type { ModelPrices } from "@pawl/engine/metadata/model-prices";
import { readModelPrices } from "./model-prices-option.ts";
import { readRetention, type ChosenRetention } from "./retention-option.ts";

/** A command that runs a server, or works on one's store. */
export type OptionCommand = "dev" | "start" | "doctor";

export type Reading<T> =
  | { readonly ok: true; readonly value: T }
  /** The hint says what is wrong with just this value. */
  | { readonly ok: false; readonly expected: string; readonly hint?: string };

export interface Option<T> {
  /** `flag` takes no value on the command line, `list` may be repeated. */
  readonly kind: "flag" | "value" | "list";
  readonly commands: readonly OptionCommand[];
  readonly help: string;
  /** Stands for the value in help texts; empty for flags. */
  readonly placeholder: string;
  readonly short: string | null;
  /** Never shown and never logged. */
  readonly secret: boolean;
  /** A path: in a config file it is meant relative to that file. */
  readonly isPath: boolean;
  readonly fallback: T;
  /** `raw` is text from flags and environment, any value from a file. */
  read(raw: unknown): Reading<T>;
}

type About = Partial<Pick<Option<unknown>, "short" | "secret" | "isPath" | "commands">> & {
  readonly help: string;
};

const servers: readonly OptionCommand[] = ["dev", "start"];

function about(
  more: About,
): Pick<Option<unknown>, "commands" | "help" | "short" | "secret" | "isPath"> {
  const { commands = servers, help, short = null, secret = false, isPath = false } = more;
  return { commands, help, short, secret, isPath };
}

export function integer<T extends number | null>(
  placeholder: string,
  fallback: T,
  min: number,
  max: number,
  more: About,
): Option<number | T> {
  const expected = `a whole number from ${String(min)} to ${String(max)}`;
  return {
    ...about(more),
    kind: "value",
    placeholder,
    fallback,
    read: (raw) => {
      const value = typeof raw === "string" && /^\d+$/.test(raw.trim()) ? Number(raw) : raw;
      const fits =
        typeof value === "number" && Number.isInteger(value) && value >= min && value <= max;
      return fits ? { ok: true, value } : { ok: false, expected };
    },
  };
}

export function flag(more: About): Option<boolean> {
  const words: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
    [true, true],
    [false, false],
    ["1", true],
    ["true", true],
    ["0", false],
    ["false", false],
    ["", false],
  ]);
  return {
    ...about(more),
    kind: "flag",
    placeholder: "",
    fallback: false,
    read: (raw) => {
      const value = words.get(raw);
      return value === undefined ? { ok: false, expected: "true or false" } : { ok: true, value };
    },
  };
}

export function text<T extends string | null>(
  placeholder: string,
  fallback: T,
  more: About,
): Option<string | T> {
  return {
    ...about(more),
    kind: "value",
    placeholder,
    fallback,
    read: (raw) =>
      typeof raw === "string" && raw !== ""
        ? { ok: true, value: raw }
        : { ok: false, expected: "text that is not empty" },
  };
}

export function choice<const T extends string>(
  choices: readonly T[],
  fallback: NoInfer<T>,
  more: About,
): Option<T> {
  return {
    ...about(more),
    kind: "value",
    placeholder: choices.join("|"),
    fallback,
    read: (raw) => {
      const value = choices.find((candidate) => candidate === raw);
      return value === undefined
        ? { ok: false, expected: `one of ${choices.join(", ")}` }
        : { ok: true, value };
    },
  };
}

export function list(
  placeholder: string,
  accepts: (item: string) => boolean,
  each: string,
  more: About,
): Option<readonly string[]> {
  return {
    ...about(more),
    kind: "list",
    placeholder,
    fallback: [],
    read: (raw) => {
      const items: readonly unknown[] = Array.isArray(raw) ? raw : [raw];
      const texts = items.filter((item) => typeof item === "string" && accepts(item));
      return texts.length === items.length
        ? { ok: true, value: texts.map(String) }
        : { ok: false, expected: `${each}, or a list of them` };
    },
  };
}

export function signingKey(more: About): Option<string | null> {
  const base = text("KEY", null, more);
  return {
    ...base,
    read: (raw) =>
      typeof raw === "string" && /^(signkey-\w+-)?([0-9a-f]{2})+$/i.test(raw)
        ? { ok: true, value: raw }
        : {
            ok: false,
            expected: "an even number of hex digits, with or without signkey-<env>- before them",
          },
  };
}

export function apiKeys(more: About): Option<readonly ApiKey[]> {
  return {
    ...about(more),
    kind: "value",
    placeholder: "JSON",
    fallback: [],
    read: (raw) => {
      const read = readApiKeys(typeof raw === "string" ? parsed(raw) : raw);
      return read.ok ? { ok: true, value: read.keys } : read;
    },
  };
}

/** A JSON object; in a config file the object itself. */
export function modelPrices(more: About): Option<ModelPrices> {
  return {
    ...about(more),
    kind: "value",
    placeholder: "JSON",
    fallback: new Map(),
    read: (raw) => {
      const value = readModelPrices(typeof raw === "string" ? parsed(raw) : raw);
      if (value !== null) return { ok: true, value };
      const expected = `an object like {"my-model": {"input": 0.2, "output": 1.25}}, in USD for a million tokens`;
      return { ok: false, expected };
    },
  };
}

export function retention(more: About): Option<ChosenRetention> {
  return {
    ...about(more),
    kind: "list",
    placeholder: "KIND.LIMIT=VALUE",
    fallback: {},
    read: (raw) => {
      const reading = readRetention(raw);
      if (reading.ok) return reading;
      const expected = "limits like failed.age=90d, completed.count=10000 or events.bytes=5GB";
      return { ok: false, expected, hint: reading.hint };
    },
  };
}

/** Undefined: it is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What a browser sends as `origin`: no path, no user, not `null`. */
export function isOrigin(value: string): boolean {
  return isHttpUrl(value) && URL.parse(value)?.origin === value;
}

export function isHostName(value: string): boolean {
  return /^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(value);
}

export function isHttpUrl(value: string): boolean {
  const url = URL.parse(value);
  return url !== null && (url.protocol === "http:" || url.protocol === "https:");
}

/** An http or https URL, or none. */
export function address(placeholder: string, more: About): Option<string | null> {
  return {
    ...text(placeholder, null, more),
    read: (raw) =>
      typeof raw === "string" && isHttpUrl(raw)
        ? { ok: true, value: raw }
        : { ok: false, expected: "an http or https URL" },
  };
}

export function isHeader(value: string): boolean {
  return /^[\w!#$%&'*+.^`|~-]+=./.test(value);
}
