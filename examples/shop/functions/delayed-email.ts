// A pause that costs nothing: no process, no connection, only a row.
import { pawl } from "../client.ts";
import { sendEmail } from "../email.ts";

export const delayedEmail = pawl.createFunction(
  { id: "ask-for-review" },
  { event: "shop/order.placed" },
  async ({ event, step }) => {
    await step.sleep("let them try it", "2s");
    return step.run("send email", () => sendEmail(event.data.email, "How do you like it?"));
  },
);
