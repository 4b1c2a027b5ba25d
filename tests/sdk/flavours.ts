// The kinds of app that every scenario runs on. It must not import any SDK: they cannot share a
// process with each other.

/** An app written with one SDK in one way of working. */
export type Flavour = "js4" | "js4-no-checkpoint" | "js3" | "pawl";

/** All of them. */
export const flavours: readonly Flavour[] = ["js4", "js4-no-checkpoint", "js3", "pawl"];

/** The flavours of the published `inngest` package. */
export const published: readonly Flavour[] = ["js4", "js4-no-checkpoint", "js3"];

/** The flavours whose apps run several steps in one call and save them in between. */
export const checkpointing: readonly Flavour[] = ["js4", "pawl"];

/** The SDK of the second app on the same server, with which cross-app calls are tried. */
export const partnerOf: Readonly<Record<Flavour, Flavour>> = {
  js4: "js3",
  "js4-no-checkpoint": "pawl",
  js3: "js4",
  pawl: "js4",
};
