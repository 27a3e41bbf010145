/** A thread of a worker: it runs one attempt at a time, and knows nothing of queues, blob stores and sockets. */
import { parentPort, workerData } from "node:worker_threads";
import * as v from "valibot";
import { InvariantError } from "../invariant-error.ts";
import { type JsonObject, MAX_RESULT_BYTES } from "./job.ts";
import { ThreadContext } from "./job-context.ts";
import { JobError } from "./job-error.ts";
import { failureOf } from "./job-failure.ts";
import { ThreadChannel } from "./thread-channel.ts";
import { ThreadLine } from "./thread-line.ts";
import type { ThreadData, ThreadOrder, ToThread } from "./thread-messages.ts";
import type { Workload } from "./workload.ts";
import { checkParams, findWorkload, type RegistryModule } from "./workload-registry.ts";

/** Far more than cores of any cluster that a job is shared by. */
const MOST_WORKERS = 256;

const port = parentPort;
if (port === null) throw new InvariantError("a worker's thread must run in a worker thread");
const { registry, workloads, stop }: ThreadData = workerData;
/** By name: loaded once. */
const loaded = new Map<string, Promise<Workload>>();
let line: ThreadLine | undefined;
let context: ThreadContext | undefined;

port.on("message", (message: ToThread) => {
  if (message.kind === "begin") void begin(message);
  else if (message.kind === "stop") context?.look();
  else line?.heard(message);
});

// One that cannot be loaded is told of when a job asks for it.
for (const name of workloads) workloadOf(name).catch(() => {});

async function begin(order: ThreadOrder): Promise<void> {
  const own = new ThreadLine(port as NonNullable<typeof port>, order.run);
  line = own;
  try {
    const value = await work(order, own);
    await context?.close();
    own.end({ value });
  } catch (thrown) {
    await context?.close();
    own.end({ failure: failureOf(thrown) });
  } finally {
    context = undefined;
  }
}

/** @returns the result as JSON */
async function work(order: ThreadOrder, own: ThreadLine): Promise<string> {
  const workload = await workloadOf(order.workload);
  const params = checkParams(workload, order.params);
  const channel = await openChannel(workload, params, order, own);
  context = new ThreadContext(order, stop, own, channel);
  context.signal.throwIfAborted();
  return resultText(workload, await workload.run(params, context));
}

function workloadOf(name: string): Promise<Workload> {
  const known =
    loaded.get(name) ?? import(registry).then(({ WORKLOADS }: RegistryModule) => findWorkload(WORKLOADS, name)());
  loaded.set(name, known);
  return known;
}

async function openChannel(
  workload: Workload,
  params: JsonObject,
  { seat }: ThreadOrder,
  own: ThreadLine,
): Promise<ThreadChannel | undefined> {
  const count = workload.workers?.(params) ?? 1;
  if (!Number.isInteger(count) || count < 1 || count > MOST_WORKERS) {
    throw new JobError("bad-params", `${workload.name} wants ${count} workers`, `1 to ${MOST_WORKERS} share a job`);
  }
  if (seat !== undefined && seat.count !== count) {
    const problem = `a place among ${seat.count} workers of ${workload.name}, which wants ${count}`;
    throw new JobError("bad-job", problem, "let workers of one release share a job");
  }
  if (count === 1) return undefined;
  const places = { count, isRefilled: workload.refillsPlaces === true };
  return new ThreadChannel(own, await own.call("channel-open", [places]), count);
}

/** What JSON keeps of a result must be what the workload promised. */
function resultText({ name, result: schema }: Workload, result: unknown): string {
  const text = jsonOf(name, result);
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_RESULT_BYTES) {
    const remedy = `at most ${MAX_RESULT_BYTES} are kept: write an output instead`;
    throw new JobError("too-large", `the result of ${name} has ${bytes} bytes`, remedy);
  }
  const checked = v.safeParse(schema, JSON.parse(text));
  if (checked.success) return text;
  const [issue] = checked.issues;
  const problem = `the result of ${name} is not what it promises, ${v.getDotPath(issue) ?? "result"}: ${issue.message}`;
  throw new JobError("bad-result", problem, "mend the workload");
}

function jsonOf(name: string, result: unknown): string {
  try {
    const text: string | undefined = JSON.stringify(result);
    if (text !== undefined) return text;
  } catch (cause) {
    throw new JobError("bad-result", `the result of ${name} is no JSON`, "mend the workload", { cause });
  }
  throw new JobError("bad-result", `${name} has no result`, "mend the workload: `run` must return one");
}
