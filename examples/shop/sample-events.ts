// Real events, one for each thing the shop can do.
import { pawl } from "./client.ts";

/** Sends the sample events. Returns how many runs they lead to. */
export async function sendSampleEvents(): Promise<number> {
  const day = 24 * 3_600_000;
  const customers = { ada: "customer-1", bob: "customer-2" };
  await pawl.send([
    {
      name: "shop/product.imported",
      data: {
        productId: "p-1",
        imageUrls: ["http://img/1.png", "http://img/2.png", "http://img/3.png"],
      },
    },
    { name: "shop/order.placed", data: { orderId: "o-1", email: "ada@example.com" } },
    {
      name: "shop/reminder.requested",
      data: { email: "ada@example.com", at: new Date(Date.now() + 1_500) },
    },
    {
      name: "shop/reminder.requested",
      data: { email: "late@example.com", at: new Date(Date.now() - day) },
    },
    {
      name: "shop/customer.signed.up",
      data: { customerId: customers.ada, email: "ada@example.com" },
    },
    {
      name: "shop/customer.signed.up",
      data: { customerId: customers.bob, email: "bob@example.com" },
    },
    // Sent right after the sign-up: waits look back, so it is not missed.
    { name: "shop/customer.ordered", data: { customerId: customers.ada, total: 4_200n } },
    { name: "shop/area.requested", data: { side: 12 } },
    {
      name: "shop/stock.counted",
      data: { warehouses: ["Berlin", "Lyon", "Porto", "Graz", "Oslo"] },
    },
    { name: "shop/payment.due", data: { orderId: "o-1" } },
  ]);
  // import, review, 2 reminders, 2 nudges, activation, welcome, area, square, stock, payment
  return 12;
}
