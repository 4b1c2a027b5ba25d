// The functions of apps that share a server with other apps of their kind: tried with keys, behind
// proxies, and while they move. Their events carry the app's id in the name.
import type { Kit } from "../app/kit.ts";

/** The functions of such an app. */
export function cloudFunctions(kit: Kit): readonly unknown[] {
  const { fn, note, appId } = kit;
  const event = (name: string): { event: string } => ({ event: `${appId}/${name}` });
  return [
    fn({ id: "steps" }, event("steps"), async ({ step }) => {
      const one = await step.run("one", () => 1);
      await step.sendEvent("send", { name: `${appId}/sent`, data: { one } });
      await step.sleep("pause", "1s");
      return one + (await step.run("two", () => 2));
    }),
    fn({ id: "sent" }, event("sent"), ({ event: { data } }) => data),
    fn({ id: "fails", retries: 0 }, event("fails"), () => {
      throw new Error("it fails");
    }),
    fn({ id: "naps" }, event("naps"), async ({ step }) => {
      await step.run("before", () => note("naps"));
      await step.waitForEvent("nap", { event: `${appId}/wake`, timeout: "5m" });
      return step.run("after", () => process.pid);
    }),
    doubled(kit),
  ];
}

/**
 * The answer to the first call is lost while its step `a` still runs; `a` ends only when a second
 * call runs it as well, and that one ends last (protocol.md 6.2).
 */
function doubled({ fn, note, appId }: Kit): unknown {
  let runsOfA = 0;
  let secondStarted = (): void => {};
  const second = new Promise<void>((resolve) => {
    secondStarted = resolve;
  });
  return fn({ id: "doubled", retries: 1 }, { event: `${appId}/doubled` }, async ({ step }) => {
    const count = (name: string) => () => {
      note(`doubled ${name}`);
      return name;
    };
    const a = await step.run("a", async () => {
      runsOfA += 1;
      note("doubled a");
      if (runsOfA === 1) await second;
      else {
        secondStarted();
        await new Promise((resolve) => {
          setTimeout(resolve, 400);
        });
      }
      return "a";
    });
    const b = await step.run("b", count("b"));
    const c = await step.run("c", count("c"));
    return [a, b, c, await step.run("d", count("d"))];
  });
}
