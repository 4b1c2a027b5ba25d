// A step that fails twice. It is tried again on its own; the step before it never runs again.
import { RetryAfterError } from "pawl";
import { pawl } from "../client.ts";

export const collectPayment = pawl.createFunction(
  { id: "collect-payment", retries: 4 },
  { event: "shop/payment.due" },
  async ({ event, step, attempt }) => {
    const invoice = await step.run("create invoice", () => ({
      id: `inv-${event.data.orderId}`,
      at: new Date(),
    }));
    const receipt = await step.run("charge card", () => {
      if (attempt < 2) throw new RetryAfterError("The bank did not answer", "1s");
      return `paid ${invoice.id}`;
    });
    return { receipt, issuedAt: invoice.at.toISOString() };
  },
);
