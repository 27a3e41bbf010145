/**
 * The thread that commits, so that waiting for the disk never delays decoding. It answers every batch in order, and
 * deletes what is not kept any more in small steps between them.
 */
import { parentPort, workerData } from "node:worker_threads";
import { InvariantError } from "../invariant-error.ts";
import type { CommitAnswer, CommitOrder, CommitWorkerData } from "./commit-messages.ts";
import { RenewedWriter } from "./renewed-writer.ts";
import type { RetentionRules } from "./retention.ts";
import { SqliteWriter } from "./sqlite-writer.ts";
import type { StoreBatch } from "./store.ts";
import { storeErrorOf } from "./store-error.ts";

const port = parentPort;
if (port === null) throw new InvariantError("the commit worker must run in a worker thread");
const { file, maxPages }: CommitWorkerData = workerData;
const writer = new RenewedWriter(() => new SqliteWriter(file, maxPages));
let isClosed = false;

port.on("message", (order: CommitOrder) => {
  if (order.kind === "commit") commit(order.batch);
  else if (order.kind === "retain") retain(order.rules);
  else {
    isClosed = true;
    writer.close();
    port.close();
  }
});

function commit(batch: StoreBatch): void {
  let answer: CommitAnswer;
  try {
    answer = { kind: "durable", exceptions: writer.use((one) => one.write(batch)) };
  } catch (cause) {
    const { code, facts } = storeErrorOf(cause, file);
    answer = { kind: "failed", code, facts };
  }
  port?.postMessage(answer, answer.kind === "durable" ? [answer.exceptions.buffer] : []);
}

/** One step, then whatever came meanwhile, then the next. */
function retain(rules: RetentionRules): void {
  if (isClosed) return;
  let answer: CommitAnswer;
  try {
    const report = writer.use(({ retention }) => retention.step(rules));
    if (report === undefined) {
      setImmediate(() => retain(rules));
      return;
    }
    answer = { kind: "retained", report };
  } catch (cause) {
    const { code, facts } = storeErrorOf(cause, file);
    answer = { kind: "retain-failed", code, facts };
  }
  port?.postMessage(answer);
}
