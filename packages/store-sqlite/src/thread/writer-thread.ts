// The thread of the writer: hands requests over, acknowledges, and only then tidies up, some of it
// a little later.
import { parentPort, workerData } from "node:worker_threads";
import { StoreError } from "@pawl/store/store-error";
import type { SqliteSettings } from "../options.ts";
import { openWriter } from "../writer.ts";
import type { Writer } from "../writer.ts";
import { replyOf } from "./messages.ts";
import type { Envelope, WriterRequest } from "./messages.ts";

const settings = workerData as SqliteSettings; // proof: thread.ts passes nothing else
let writer: Writer | null = null;

function opened(): Writer {
  if (writer === null) {
    throw new StoreError("store_closed", `The database ${settings.path} is not open.`);
  }
  return writer;
}

function answer(request: WriterRequest): unknown {
  switch (request.type) {
    case "open":
      writer = openWriter(settings);
      return writer.epoch;
    case "commit":
      opened().commit(request.changes, request.epoch);
      return null;
    case "compact":
      opened().compact();
      return null;
    case "close":
      opened().close();
      writer = null;
      return null;
  }
}

let shredding: NodeJS.Timeout | null = null;

/** Deleted secrets leave the log within `shredMs`; a read that lasts is waited for. */
function shredLater(): void {
  if (shredding !== null || writer?.wantsShred !== true) return;
  // oxlint-disable-next-line no-restricted-globals -- this thread is a shell: nobody above it can wait for it
  shredding = setTimeout(() => {
    shredding = null;
    writer?.shred();
    shredLater();
  }, settings.shredMs);
}

parentPort?.on("message", ({ id, request }: Envelope<WriterRequest>) => {
  parentPort?.postMessage(replyOf(id, () => answer(request)));
  if (request.type === "commit") writer?.maintain();
  shredLater();
});
