// List prices of language models, for the `estimated_cost` of `inngest.ai` metadata (protocol.md 5.8).
// Source: list prices of OpenAI, Anthropic, Google and xAI as public price tables gave them in August
// 2026, standard tier, short context, without caching and discounts. Prices change: setting
// `modelPrices` (`--model-prices`) replaces and adds entries.

/** USD for a million tokens. */
export interface ModelPrice {
  readonly input: number;
  readonly output: number;
}

/** By the name of a model in lower case, without provider and date. */
export type ModelPrices = ReadonlyMap<string, ModelPrice>;

type Row = readonly [model: string, input: number, output: number];

const rows: readonly Row[] = [
  ["gpt-5.5-pro", 30, 180],
  ["gpt-5.5", 5, 30],
  ["gpt-5.4-pro", 30, 180],
  ["gpt-5.4", 2.5, 15],
  ["gpt-5.4-mini", 0.75, 4.5],
  ["gpt-5.4-nano", 0.2, 1.25],
  ["gpt-5.2", 1.75, 14],
  ["gpt-5.1", 1.25, 10],
  ["gpt-5", 1.25, 10],
  ["gpt-5-mini", 0.25, 2],
  ["gpt-5-nano", 0.05, 0.4],
  ["gpt-4.1", 2, 8],
  ["gpt-4.1-mini", 0.4, 1.6],
  ["gpt-4.1-nano", 0.1, 0.4],
  ["gpt-4o", 2.5, 10],
  ["gpt-4o-mini", 0.15, 0.6],
  ["gpt-4-turbo", 10, 30],
  ["gpt-4", 30, 60],
  ["gpt-3.5-turbo", 0.5, 1.5],
  ["o1", 15, 60],
  ["o3", 2, 8],
  ["o3-mini", 1.1, 4.4],
  ["o4-mini", 1.1, 4.4],
  ["text-embedding-3-small", 0.02, 0],
  ["text-embedding-3-large", 0.13, 0],
  ["claude-fable-5", 10, 50],
  ["claude-opus-5", 5, 25],
  ["claude-opus-4-8", 5, 25],
  ["claude-opus-4-7", 5, 25],
  ["claude-opus-4-6", 5, 25],
  ["claude-opus-4-5", 5, 25],
  ["claude-opus-4-1", 15, 75],
  ["claude-opus-4", 15, 75],
  ["claude-sonnet-5", 2, 10],
  ["claude-sonnet-4-6", 3, 15],
  ["claude-sonnet-4-5", 3, 15],
  ["claude-sonnet-4", 3, 15],
  ["claude-haiku-4-5", 1, 5],
  ["claude-3-7-sonnet", 3, 15],
  ["claude-3-5-sonnet", 3, 15],
  ["claude-3-5-haiku", 0.8, 4],
  ["claude-3-opus", 15, 75],
  ["claude-3-haiku", 0.25, 1.25],
  ["gemini-2.5-pro", 1.25, 10],
  ["gemini-2.5-flash", 0.3, 2.5],
  ["gemini-2.5-flash-lite", 0.1, 0.4],
  ["gemini-2.0-flash", 0.1, 0.4],
  ["gemini-2.0-flash-lite", 0.075, 0.3],
  ["grok-3", 3, 15],
  ["grok-3-mini", 0.3, 0.5],
  ["grok-4", 3, 15],
];

/** The prices that come with the server. */
export const listedModelPrices: ModelPrices = new Map(
  rows.map(([model, input, output]) => [model, { input, output }]),
);

/** `-2026-03-17`, `-20250929`, `@20250929`, `-latest`: which build of a model answered. */
const build = /(?:[-@]\d{4}-\d{2}-\d{2}|[-@]\d{8}|-latest)$/;

/** The name under which a price is kept: `openai/GPT-5-2025-08-07` is `gpt-5`. */
export function priceName(model: string): string {
  const name = model.slice(model.lastIndexOf("/") + 1).toLowerCase();
  return name.replace(build, "");
}

/** The price of a model; undefined: it is not known, and no other stands in for it. */
export function priceOf(prices: ModelPrices, model: string): ModelPrice | undefined {
  return prices.get(model.toLowerCase()) ?? prices.get(priceName(model));
}
