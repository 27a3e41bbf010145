/** BullMQ's worker, in a process of its own: `bullmq-worker.ts QUEUE PORT CONCURRENCY`. */
import { Worker } from "bullmq";

const [queue = "", port = "", concurrency = ""] = process.argv.slice(2);
const worker = new Worker(queue, async ({ data }: { data: { n: number } }) => ({ n: data.n }), {
  connection: { host: "127.0.0.1", port: Number(port) },
  concurrency: Number(concurrency),
});
await worker.waitUntilReady();
process.send?.("working");
