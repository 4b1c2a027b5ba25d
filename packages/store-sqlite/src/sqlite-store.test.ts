import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { storeContract } from "@pawl/store/contract";
import type { MakeStore } from "@pawl/store/contract";
import type { Store } from "@pawl/store/store";
import { createSqliteStore } from "./sqlite-store.ts";
import { createThreadlessStore } from "./testing/threadless-store.ts";

function makerOf(create: (path: string) => Store): MakeStore {
  return async () => {
    const folder = mkdtempSync(join(tmpdir(), "pawl-sqlite-"));
    const path = join(folder, "pawl.db");
    let store = create(path);
    return {
      store,
      async reopen() {
        await store.close();
        store = create(path);
        return store;
      },
      async cleanup() {
        await store.close();
        rmSync(folder, { recursive: true });
      },
    };
  };
}

// Random sequences are for what is written and read; threads add only time to them.
storeContract(
  "sqlite",
  makerOf((path) => createSqliteStore({ path })),
  { sequences: 4 },
);
storeContract("sqlite without threads", makerOf(createThreadlessStore), { sequences: 100 });
