// A pause until a moment that came with the event. A Date stays a Date on its way.
import { pawl } from "../client.ts";
import { sendEmail } from "../email.ts";

export const scheduledReminder = pawl.createFunction(
  { id: "scheduled-reminder" },
  { event: "shop/reminder.requested" },
  async ({ event, step }) => {
    await step.sleepUntil("wait for the moment", event.data.at);
    return step.run("send reminder", () =>
      sendEmail(event.data.email, "You asked us to remind you"),
    );
  },
);
