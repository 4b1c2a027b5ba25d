// The thread that answers people: its own connection, which cannot write, so that a long question
// delays other questions and nothing else.
import { parentPort, workerData } from "node:worker_threads";
import type { DatabaseSync } from "node:sqlite";
import { openForReading } from "../connection.ts";
import { toStoreError } from "../errors.ts";
import type { SqliteSettings } from "../options.ts";
import { Lister } from "../read/list.ts";
import { verifyDatabase } from "../verify.ts";
import { replyOf } from "./messages.ts";
import type { Envelope, ListRequest } from "./messages.ts";

const settings = workerData as SqliteSettings; // proof: thread.ts passes nothing else
const cacheBytes = 4 * 1024 * 1024;
let opened: { readonly database: DatabaseSync; readonly lister: Lister } | null = null;

function open(): { readonly database: DatabaseSync; readonly lister: Lister } {
  if (opened === null) {
    const database = openForReading(settings.path, cacheBytes);
    opened = { database, lister: new Lister(database, settings.path) };
  }
  return opened;
}

function answer(request: ListRequest): unknown {
  switch (request.type) {
    case "list":
      return open().lister.list(request.query);
    case "verify":
      return verifyDatabase(open().database);
    case "close":
      opened?.database.close();
      opened = null;
      return null;
  }
}

parentPort?.on("message", ({ id, request }: Envelope<ListRequest>) => {
  const reply = replyOf(id, () => {
    try {
      return answer(request);
    } catch (error) {
      throw toStoreError(error, "read", settings.path);
    }
  });
  parentPort?.postMessage(reply);
});
