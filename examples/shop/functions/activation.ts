// A step that sends an event, and the function that it starts.
import { pawl } from "../client.ts";

export const trackActivation = pawl.createFunction(
  { id: "track-activation" },
  { event: "shop/customer.ordered" },
  async ({ event, step }) => {
    const { customerId } = event.data;
    await step.sendEvent("tell the others", {
      name: "shop/customer.activated",
      data: { customerId },
    });
    return { activated: customerId };
  },
);

export const welcomeActivated = pawl.createFunction(
  { id: "welcome-activated" },
  { event: "shop/customer.activated" },
  ({ event, step }) => step.run("welcome", () => `welcome, ${event.data.customerId}`),
);
