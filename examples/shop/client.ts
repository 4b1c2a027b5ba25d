// The shop's client: its id, and the events it sends and receives. The schemas below are written
// by hand in the form of Standard Schema; any library that speaks it (zod, valibot, arktype) fits.
import { Pawl, type StandardSchemaV1 } from "pawl";

/** A schema that takes the data as it is: types without checks, for an example. */
function data<T>(): StandardSchemaV1<T> {
  return {
    "~standard": {
      version: 1,
      vendor: "shop",
      validate: (value) => ({ value: value as T }), // proof: an example trusts its own events
    },
  };
}

export const pawl = new Pawl({
  id: "shop",
  events: {
    "shop/product.imported": data<{ productId: string; imageUrls: string[] }>(),
    "shop/order.placed": data<{ orderId: string; email: string }>(),
    "shop/reminder.requested": data<{ email: string; at: Date }>(),
    "shop/customer.signed.up": data<{ customerId: string; email: string }>(),
    "shop/customer.ordered": data<{ customerId: string; total: bigint }>(),
    "shop/customer.activated": data<{ customerId: string }>(),
    "shop/area.requested": data<{ side: number }>(),
    "shop/stock.counted": data<{ warehouses: string[] }>(),
    "shop/payment.due": data<{ orderId: string }>(),
  },
});
