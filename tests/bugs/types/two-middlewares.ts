// Types of a function behind two middlewares, as a user of the package writes it. Checked by the
// compiler, never run: each line that must not compile says so.
import { Pawl, type Middleware } from "pawl";

type Same<A, B> =
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- it makes the checker compare for identity
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function same<A, B>(proof: Same<A, B>): void;

interface Database {
  query(text: string): Promise<readonly { readonly id: bigint }[]>;
}

const database: Middleware<{ db: Database }> = {
  name: "database",
  context: () => ({ db: { query: async () => [{ id: 1n }] } }),
};
const tenant: Middleware<{ tenant: { readonly name: string; readonly since: Date } }> = {
  name: "tenant",
  context: () => ({ tenant: { name: "a", since: new Date(0) } }),
};

export const pawl = new Pawl({ id: "typed", middleware: [database, tenant] });

export const total = pawl.createFunction(
  { id: "total" },
  { event: "typed/asked" },
  async ({ db, tenant: { name, since }, step }) => {
    same<typeof db, Database>(true);
    same<typeof since, Date>(true);
    const rows = await step.run("query", () => db.query(name));
    same<typeof rows, readonly { readonly id: bigint }[]>(true);
    const [first] = rows;
    // @ts-expect-error -- a step's bigint stays one, and is no number
    const wrong: number | undefined = first?.id;
    // @ts-expect-error -- Date is not turned into text
    const text: string = since;
    const at = await step.run("at", () => ({ at: since, rows: new Map([["a", wrong]]), text }));
    same<typeof at, { at: Date; rows: Map<string, number | undefined>; text: string }>(true);
    return at.at;
  },
);

export const caller = pawl.createFunction(
  { id: "caller" },
  { event: "typed/called" },
  async ({ step, tenant: { name } }) => {
    const at = await step.invoke("total", { function: total, data: {} });
    same<typeof at, Date>(true);
    same<typeof name, string>(true);
  },
);
