// The functions of the second app, which the scenarios' functions call across the border between
// two apps and two SDKs.
import type { Kit } from "./kit.ts";

/** The id of the second app. */
export const partnerAppId = "partner";

export function partnerFunctions(kit: Kit): readonly unknown[] {
  const { fn } = kit;
  return [
    fn({ id: "double" }, { event: "partner/double" }, async ({ event, step }) => {
      const doubled = await step.run("double", () => Number(event.data["n"]) * 2);
      return { doubled, by: kit.flavour };
    }),
    fn({ id: "fail" }, { event: "partner/fail" }, () => {
      throw kit.nonRetriable("the partner cannot");
    }),
    fn({ id: "announced" }, { event: "partner/announced" }, ({ event }) => ({
      heard: event.data,
    })),
  ];
}
