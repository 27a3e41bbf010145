/**
 * The thread that commits, so that waiting for the disk never delays decoding. It answers every batch in order.
 */
import { parentPort, workerData } from "node:worker_threads";
import { InvariantError } from "../invariant-error.ts";
import type { CommitAnswer, CommitOrder, CommitWorkerData } from "./commit-messages.ts";
import { SqliteWriter } from "./sqlite-writer.ts";
import { storeErrorOf } from "./store-error.ts";

const port = parentPort;
if (port === null) throw new InvariantError("the commit worker must run in a worker thread");
const { file, maxPages }: CommitWorkerData = workerData;
const writer = new SqliteWriter(file, maxPages);

port.on("message", (order: CommitOrder) => {
  if (order.kind === "close") {
    writer.close();
    port.close();
    return;
  }
  let answer: CommitAnswer;
  try {
    answer = { kind: "durable", exceptions: writer.write(order.batch) };
  } catch (cause) {
    const { code, facts } = storeErrorOf(cause, file);
    answer = { kind: "failed", code, facts };
  }
  port.postMessage(answer, answer.kind === "durable" ? [answer.exceptions.buffer] : []);
});
