/** A queue of jobs in a process of its own, below which the disk can be out of order. */
import { systemClock } from "@lockstep/cloud-node";
import { type KeptJobReport, openJobsAlone } from "@lockstep/cloud-node/fault-testing";

/** Its only argument, as JSON. */
export interface JobHostOrder {
  readonly file: string;
}

/** Keep a job and its blob. */
export interface JobHostRequest {
  readonly number: number;
  readonly bytes: number;
}

export type JobHostReply = { readonly kind: "ready" } | { readonly kind: "report"; readonly report: KeptJobReport };

const order = JSON.parse(process.argv[2] ?? "") as JobHostOrder;
const keep = await openJobsAlone(order.file, systemClock());
const reply = (message: JobHostReply) => process.send?.(message);
process.on("message", ({ number, bytes }: JobHostRequest) => {
  keep(number, bytes).then((report) => reply({ kind: "report", report }));
});
process.on("disconnect", () => process.exit());
reply({ kind: "ready" });
