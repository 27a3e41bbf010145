/** Entry of a process of its own: takes a job, says so, and then waits to be killed. */
import { systemClock } from "../clock.ts";
import { JetStreamQueue } from "./jetstream-queue.ts";
import { openNatsLink } from "./nats-link.ts";

const [url = "", leaseMs = ""] = process.argv.slice(2);
const pace = { leaseMs: Number(leaseMs), backOffMs: 0 };
const queue = await JetStreamQueue.open(await openNatsLink(url), { clock: systemClock(), pace });
const lease = await queue.claim(["held"], "holder");
process.stdout.write(`${lease?.job.id}\n`);
