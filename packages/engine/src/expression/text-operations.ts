// Functions and methods over texts and lists of texts. This file must not know the syntax tree.
import { Fault } from "./expression-error.ts";
import { spend, spendText, type Frame } from "./frame.ts";
import { argument, integerArgument, operation, textArgument, type Operation } from "./operation.ts";
import { matchOnce } from "./pattern.ts";
import { isList, kindOf, type JsonObject, type Value } from "./value.ts";

type TextTest = (text: string, part: string) => boolean;

function textTest(test: TextTest): Operation {
  return operation(
    [2, 2],
    (frame, args) => {
      const text = textArgument(args, 0);
      spendText(frame, text.length);
      return test(text, textArgument(args, 1));
    },
    false,
  );
}

function textMap(change: (text: string) => Value): Operation {
  return operation([1, 1], (frame, args) => {
    const text = textArgument(args, 0);
    spendText(frame, text.length);
    return change(text);
  });
}

function lowerAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (part) => part.toLowerCase());
}

function upperAscii(text: string): string {
  return text.replace(/[a-z]+/g, (part) => part.toUpperCase());
}

/** A position in a text; one outside is `expression_type`. */
function position(args: readonly Value[], at: number, text: string): number {
  const value = integerArgument(args, at);
  if (value < 0 || value > text.length)
    throw new Fault("expression_type", `${value} is outside of the text`);
  return value;
}

function indexOf(frame: Frame, args: readonly Value[]): Value {
  const text = textArgument(args, 0);
  spendText(frame, text.length);
  return BigInt(text.indexOf(textArgument(args, 1), args.length > 2 ? position(args, 2, text) : 0));
}

function lastIndexOf(frame: Frame, args: readonly Value[]): Value {
  const text = textArgument(args, 0);
  spendText(frame, text.length);
  return BigInt(
    text.lastIndexOf(
      textArgument(args, 1),
      args.length > 2 ? position(args, 2, text) : text.length,
    ),
  );
}

function substring(frame: Frame, args: readonly Value[]): Value {
  const text = textArgument(args, 0);
  spendText(frame, text.length);
  const start = position(args, 1, text);
  const end = args.length > 2 ? position(args, 2, text) : text.length;
  if (end < start) throw new Fault("expression_type", "a substring ends before its start");
  return text.slice(start, end);
}

/** At most `most` parts, the last with all the rest; negative: as many as there are. */
function parts(text: string, separator: string, most: number): readonly string[] {
  const all = text.split(separator);
  if (most < 0 || all.length <= most) return all;
  return most === 0 ? [] : [...all.slice(0, most - 1), all.slice(most - 1).join(separator)];
}

function split(frame: Frame, args: readonly Value[]): Value {
  const text = textArgument(args, 0);
  spend(frame, text.length);
  return parts(text, textArgument(args, 1), args.length > 2 ? integerArgument(args, 2) : -1);
}

function joinTexts(frame: Frame, texts: readonly string[], separator: string): string {
  const chars = texts.reduce((sum, text) => sum + text.length, texts.length * separator.length);
  spend(frame, texts.length);
  spendText(frame, chars);
  return texts.join(separator);
}

function replace(frame: Frame, args: readonly Value[]): Value {
  const text = textArgument(args, 0);
  const old = textArgument(args, 1);
  const most = args.length > 3 ? integerArgument(args, 3) : -1;
  spend(frame, text.length);
  return joinTexts(frame, parts(text, old, most < 0 ? -1 : most + 1), textArgument(args, 2));
}

function join(frame: Frame, args: readonly Value[]): Value {
  const list = argument(args, 0);
  if (!isList(list)) throw new Fault("expression_type", `join takes a list, not ${kindOf(list)}`);
  const texts = list.map((_, at) => textArgument(list, at));
  return joinTexts(frame, texts, args.length > 1 ? textArgument(args, 1) : "");
}

function charAt(_: Frame, args: readonly Value[]): Value {
  const text = textArgument(args, 0);
  return text.charAt(position(args, 1, text));
}

function b64decode(text: string): Value {
  try {
    const binary = atob(text);
    return new TextDecoder().decode(Uint8Array.from(binary, (char) => char.charCodeAt(0)));
  } catch {
    throw new Fault("expression_conversion", "not base64");
  }
}

function jsonParse(text: string): Value {
  try {
    return JSON.parse(text) as JsonObject; // proof: JSON.parse yields JSON values, all of them values
  } catch {
    throw new Fault("expression_conversion", "not JSON");
  }
}

const matches = operation(
  [2, 2],
  (frame, args) => matchOnce(frame, textArgument(args, 1), textArgument(args, 0)),
  false,
);

export const textFunctions: readonly (readonly [string, Operation])[] = [
  ["uppercase", textMap((text) => text.toUpperCase())],
  ["lowercase", textMap((text) => text.toLowerCase())],
  ["b64decode", textMap(b64decode)],
  ["json_parse", textMap(jsonParse)],
  ["matches", matches],
];

export const textMethods: readonly (readonly [string, Operation])[] = [
  ["matches", matches],
  ["contains", textTest((text, part) => text.includes(part))],
  ["startsWith", textTest((text, part) => text.startsWith(part))],
  ["endsWith", textTest((text, part) => text.endsWith(part))],
  ["lowerAscii", textMap(lowerAscii)],
  ["upperAscii", textMap(upperAscii)],
  ["trim", textMap((text) => text.trim())],
  ["reverse", textMap((text) => Array.from(text).reverse().join(""))],
  ["charAt", operation([2, 2], charAt)],
  ["indexOf", operation([2, 3], indexOf)],
  ["lastIndexOf", operation([2, 3], lastIndexOf)],
  ["substring", operation([2, 3], substring)],
  ["replace", operation([3, 4], replace)],
  ["split", operation([2, 3], split)],
  ["join", operation([1, 2], join)],
];
