/** Entry of a process of its own: hands in jobs and does them without end, and says of each what was durable, until it is killed. */
import { systemClock } from "../clock.ts";
import { SqliteQueue } from "./sqlite-queue.ts";

const [file = "", run = ""] = process.argv.slice(2);
const queue = await SqliteQueue.open(file, { clock: systemClock() });
const held = await queue.submit({ workload: "toy", params: { held: run }, inputs: [], salt: "" });
await queue.claim(["toy"], `holder ${run}`);
process.stdout.write(`${held.job.id} running\n`);
for (let i = 0; ; i++) {
  const { job } = await queue.submit({ workload: "small", params: { run, i }, inputs: [], salt: "" });
  process.stdout.write(`${job.id} queued\n`);
  const lease = await queue.claim(["small"], "w");
  if (await lease?.done({ value: { i }, outputs: [] })) process.stdout.write(`${lease?.job.id} done\n`);
}
