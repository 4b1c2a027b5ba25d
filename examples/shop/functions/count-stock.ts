// A fan-out: steps that run at the same time, each retried on its own.
import { pawl } from "../client.ts";

export const countStock = pawl.createFunction(
  { id: "count-stock" },
  { event: "shop/stock.counted" },
  async ({ event, step }) => {
    const counts = await Promise.all(
      event.data.warehouses.map((name) => step.run(`count ${name}`, () => name.length * 7)),
    );
    return { total: counts.reduce((sum, count) => sum + count, 0) };
  },
);
