// Waits for another event of the same customer, or for the time to run out.
import { pawl } from "../client.ts";
import { sendEmail } from "../email.ts";

export const onboardingNudge = pawl.createFunction(
  { id: "onboarding-nudge" },
  { event: "shop/customer.signed.up" },
  async ({ event, step }) => {
    const order = await step.waitForEvent("first order", {
      event: "shop/customer.ordered",
      match: "data.customerId",
      timeout: "3s",
    });
    if (order !== null) {
      return step.run(
        "thank them",
        () => `thanked for an order of ${order.data.total / 100n} euros`,
      );
    }
    return step.run("nudge them", () => sendEmail(event.data.email, "Anything we can help with?"));
  },
);
