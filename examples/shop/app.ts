// The shop as a server of its own: an ordinary node:http handler that Pawl calls.
// Run it alone with `node examples/shop/app.ts` beside `pawl dev`.
import { createServer, type Server } from "node:http";
import { serve } from "pawl/node";
import { pawl } from "./client.ts";
import { trackActivation, welcomeActivated } from "./functions/activation.ts";
import { collectPayment } from "./functions/collect-payment.ts";
import { computeArea, square } from "./functions/compute-area.ts";
import { countStock } from "./functions/count-stock.ts";
import { delayedEmail } from "./functions/delayed-email.ts";
import { importProductImages } from "./functions/import-product-images.ts";
import { onboardingNudge } from "./functions/onboarding-nudge.ts";
import { scheduledReminder } from "./functions/scheduled-reminder.ts";

export const functions = [
  importProductImages,
  delayedEmail,
  scheduledReminder,
  onboardingNudge,
  square,
  computeArea,
  trackActivation,
  welcomeActivated,
  countStock,
  collectPayment,
];

/** Serves the functions on a loopback port; 0 takes a free one. Resolves with the app's URL. */
export async function startShop(
  port: number,
): Promise<{ readonly url: string; readonly server: Server }> {
  const server = createServer(serve({ client: pawl, functions }));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string")
    throw new Error("the shop listens on no port");
  return { url: `http://127.0.0.1:${address.port}/api/pawl`, server };
}

if (import.meta.main) {
  const { url } = await startShop(Number(process.env["PORT"] ?? 3000));
  console.log(`The shop serves its functions on ${url}`);
}
