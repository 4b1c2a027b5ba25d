// Functions call functions and get their result, also across apps and languages.
import { pawl } from "../client.ts";

export const square = pawl.createFunction(
  { id: "square" },
  { event: "shop/area.requested", if: "false" }, // only ever invoked
  ({ event }) => event.data.side * event.data.side,
);

export const computeArea = pawl.createFunction(
  { id: "compute-area" },
  { event: "shop/area.requested" },
  async ({ event, step }) => {
    const area = await step.invoke("square the side", {
      function: square,
      data: { side: event.data.side },
    });
    return { area };
  },
);
