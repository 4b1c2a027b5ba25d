// What JSON can say comes back as it was, also when there is much of it.
import assert from "node:assert/strict";
import type { Scenario } from "../scenario.ts";

const deep = {
  text: 'Zoë 日本語 🎉 \u0000 \u2028 \\ " </script>',
  numbers: [0, -1, 1.5, 1e21, 5e-324, 9_007_199_254_740_991],
  nested: { a: { b: { c: [[], {}, [null, true, false, ""]] } } },
  keys: { "": 1, "with space": 2, ключ: 3, __proto: 4, "a.b/c~d": 5 },
};

/** Everything JSON can say. */
export const jsonValues: Scenario = {
  says: "nested, unicode and large JSON is the same in event, step, replay and output",
  define: ({ fn }) => [
    fn({ id: "json-values" }, { event: "json-values/go" }, async ({ event, step }) => {
      const echoed = await step.run("echo", () => event.data);
      const large = await step.run("large", () =>
        Array.from({ length: 20_000 }, (_, n) => ({ n, s: `ü${String(n)}` })),
      );
      await step.sleep("pause", "1s");
      return { echoed, count: large.length, last: large.at(-1) };
    }),
  ],
  check: async ({ outputOf }) => {
    assert.deepEqual(await outputOf("json-values/go", deep), {
      echoed: deep,
      count: 20_000,
      last: { n: 19_999, s: "ü19999" },
    });
  },
};

const mebibyte = 1024 * 1024;

/** More recorded output than fits into one call. */
export const useApi: Scenario = {
  says: "outputs that make a call larger than 4 MB are fetched by the app",
  define: ({ fn, note }) => [
    fn({ id: "use-api" }, { event: "use-api/go" }, async ({ event, step }) => {
      const sizes: number[] = [];
      for (let i = 0; i < 6; i += 1) {
        const text = await step.run(`part ${String(i)}`, () => {
          note("use-api", i);
          return String(i).repeat(mebibyte);
        });
        sizes.push(text.length);
      }
      await step.sleep("pause", "1s");
      return { sizes, mark: event.data["mark"] };
    }),
  ],
  check: async ({ app, outputOf, notes }) => {
    const sizes = Array.from({ length: 6 }, () => mebibyte);
    assert.deepEqual(await outputOf("use-api/go", { mark: "here" }), { sizes, mark: "here" });
    assert.deepEqual(await notes("use-api"), [0, 1, 2, 3, 4, 5]);
    const last = (await app.calls("app-use-api")).at(-1);
    assert.ok(last !== undefined && last.bytes < 10_000, `${String(last?.bytes)} bytes were sent`);
  },
};
