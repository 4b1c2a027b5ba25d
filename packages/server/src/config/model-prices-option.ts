// Reads the option `model-prices`: what language models cost where that differs from the list. It must
// not know the list.
import type { ModelPrice, ModelPrices } from "@pawl/engine/metadata/model-prices";

const modelsMax = 10_000;

/** Null: it is not `{"<model>": {"input": <USD>, "output": <USD>}}` for a million tokens. */
export function readModelPrices(raw: unknown): ModelPrices | null {
  if (!isObject(raw)) return null;
  const entries = Object.entries(raw);
  if (entries.length > modelsMax) return null;
  const prices = new Map<string, ModelPrice>();
  for (const [model, price] of entries) {
    if (!isObject(price)) return null;
    const { input, output, ...unknown } = price;
    if (!isPrice(input) || !isPrice(output) || Object.keys(unknown).length > 0) return null;
    prices.set(model.toLowerCase(), { input, output });
  }
  return prices;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isPrice(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}
