/** Entry of a process of its own: opens a store as a node does that was just started, and reads a minute of it. */
import { openHistory } from "@lockstep/cloud-node";

/** What the parent asks for, as JSON in the first argument. */
export interface ColdTask {
  readonly storeFile: string;
  readonly device: string;
  readonly fromUs: number;
  readonly toUs: number;
}

/** What it answers; from before the store is opened to after the last row. */
export interface ColdAnswer {
  readonly ms: number;
  readonly rows: number;
}

const { storeFile, device, fromUs, toUs } = JSON.parse(process.argv[2] ?? "{}") as ColdTask;
const begun = performance.now();
const history = await openHistory(storeFile);
let rows = 0;
for (const { timesUs } of history.rows(device, { fromUs, toUs })) rows += timesUs.length;
const answer: ColdAnswer = { ms: performance.now() - begun, rows };
history.close();
process.stdout.write(JSON.stringify(answer));
