// What a language model's answer cost, as far as list prices tell: `estimated_cost` beside the tokens
// of `inngest.ai` metadata (protocol.md 5.8). What the app says itself is never replaced.
import { membersOf } from "@pawl/protocol/json-span";
import { fromJsonText, toJsonText, type JsonText } from "@pawl/protocol/json-text";
import { priceOf, type ModelPrices } from "./model-prices.ts";
import { numberOf, writeValues } from "./values.ts";

/** The kind that holds models and tokens. */
export const aiKind = "inngest.ai";

const tokensPerPrice = 1_000_000;
/** Digits that are left: sums of prices are not exact in binary. */
const digitsMax = 12;

/**
 * The values of `inngest.ai` with their cost, in USD; as they are when it cannot be told, or the app
 * told it. `before`: the values that they were made from, null when there were none.
 */
export function withEstimatedCost(
  before: JsonText | null,
  values: JsonText,
  prices: ModelPrices,
): JsonText {
  const members = membersOf(values);
  const given = members.get("estimated_cost");
  const known = before === null ? null : membersOf(before);
  const isOurs =
    known !== null && given === known.get("estimated_cost") && given === estimate(known, prices);
  if (given !== undefined && !isOurs) return values;
  const cost = estimate(members, prices);
  if (cost === undefined) return values;
  members.set("estimated_cost", cost);
  return writeValues(members);
}

function estimate(
  members: ReadonlyMap<string, JsonText>,
  prices: ModelPrices,
): JsonText | undefined {
  const input = numberOf(members.get("input_tokens")) ?? 0;
  const output = numberOf(members.get("output_tokens")) ?? 0;
  if (input < 0 || output < 0 || input + output === 0) return undefined;
  // The model that answered; the one asked for stands in where that is not known.
  for (const name of ["response_model", "request_model"]) {
    const text = members.get(name);
    const model = text === undefined ? null : fromJsonText(text);
    const price = typeof model === "string" ? priceOf(prices, model) : undefined;
    if (price === undefined) continue;
    const cost = (input * price.input + output * price.output) / tokensPerPrice;
    return toJsonText(Number(cost.toPrecision(digitsMax)));
  }
  return undefined;
}
