import { type Command, Option } from "commander";
import { maskedUrl } from "../jobs/masked-url.ts";
import { WORKER_DEFAULTS } from "../jobs/worker-defaults.ts";
import { readBrokerAddress } from "./broker-address.ts";
import { WORKLOADS_FROM_HELP } from "./jobs/known-workloads.ts";
import { checkQueueUrl, DEFAULT_QUEUE } from "./jobs/open-door.ts";
import { LOG_LEVELS } from "./log-levels.ts";
import { parseMemory, parseNames, parsePositive, parseSomeThreads } from "./option-values.ts";
import { writeResult } from "./result-output.ts";
import type { Surroundings } from "./surroundings.ts";
import { untilInterrupt } from "./until-interrupt.ts";
import { workloadsHelp } from "./workload-help.ts";

interface WorkerOptions {
  readonly jobs: string;
  readonly workloads?: readonly string[];
  readonly workloadsFrom?: string;
  readonly threads: number;
  readonly memory: number;
  readonly lease: number;
  readonly name?: string;
  readonly scratch?: string;
  readonly channelHost: string;
  readonly channelBroker?: string;
  readonly channelBrokerPasswordFile?: string;
  readonly channelBrokerCa?: string;
  readonly log: string;
  readonly json?: boolean;
}

const BROKER_OPTIONS = { url: "--channel-broker", passwordFile: "--channel-broker-password-file" };

const HELP = `
Takes jobs out of a queue and does them, each in a thread that no other job has meanwhile, with a limit of memory: a job
that crashes or eats memory fails, and the worker goes on. There is no limit of time: one that hangs keeps its thread until
it is cancelled (lockstep jobs cancel). Any number of workers share a queue, on this machine (sqlite:FILE) or on many
(nats://HOST:PORT). One that dies loses its jobs to the others after --lease seconds, which is to be the same for all of
them; where a job left a checkpoint it goes on there. Ctrl-C gives back within ten seconds what is not done.
With --json one object says what it works on, once it does.

${workloadsHelp()}

Examples:
  $ lockstep worker
  $ lockstep worker --jobs nats://queue:4222 --workloads telemetry --threads 8`;

/** `lockstep worker`: does the jobs of a queue. */
export function addWorker(program: Command, surroundings: Surroundings): void {
  program
    .command("worker")
    .summary("do the jobs of a queue, each in a thread with a limit of memory")
    .description("Do the jobs of a queue until Ctrl-C.")
    .option("--jobs <URL>", "sqlite:FILE, or nats://HOST:PORT", DEFAULT_QUEUE)
    .option("--workloads <NAMES>", "kinds of work, with commas between (default: all)", parseNames)
    .option("--workloads-from <FILE>", WORKLOADS_FROM_HELP)
    .option("--threads <N>", "jobs at once", parseSomeThreads, 1)
    .option("--memory <MIB>", "of each job, heap and buffers", parseMemory, WORKER_DEFAULTS.memoryMb)
    .option(
      "--lease <SECONDS>",
      "a job whose worker is not heard of for so long is somebody else's",
      parsePositive,
      WORKER_DEFAULTS.leaseMs / 1000,
    )
    .option("--name <NAME>", "what jobs call it (default: host and process)")
    .option("--scratch <DIR>", "folder for what jobs put aside (default: the system's)")
    .option(
      "--channel-host <ADDRESS>",
      "where the workers of one shared job reach this one",
      WORKER_DEFAULTS.channelHost,
    )
    .option("--channel-broker <URL>", "…or by this broker, where they do not: mqtts://USER@HOST:PORT, or mqtt://")
    .option("--channel-broker-password-file <FILE>", "file whose first line is the password")
    .option("--channel-broker-ca <FILE>", "PEM file: whom to trust instead of the system's authorities")
    .addOption(new Option("--log <LEVEL>", "what is told on standard error").choices(LOG_LEVELS).default("info"))
    .option("--json", "one JSON object on standard output when it begins")
    .addHelpText("after", HELP)
    .action((options: WorkerOptions) => runWorker(surroundings, options));
}

async function runWorker(surroundings: Surroundings, options: WorkerOptions): Promise<void> {
  const { clock, interrupt } = surroundings;
  const { jobs: url, lease, json, name, scratch, threads, memory: memoryMb, channelHost, workloads } = options;
  checkQueueUrl(url);
  const channelBroker = await readBrokerAddress(BROKER_OPTIONS, {
    url: options.channelBroker,
    passwordFile: options.channelBrokerPasswordFile,
    ca: options.channelBrokerCa,
  });
  const { createLogger } = await import("./log.ts");
  const logger = createLogger(options.log);
  const { openQueue } = await import("../jobs/open-queue.ts");
  const { startWorker } = await import("./jobs/start-worker.ts");
  const { GarbageTimer } = await import("../jobs/garbage-timer.ts");
  const open = await openQueue(url, clock, { leaseMs: lease * 1000 });
  const { queue, blobs } = open;
  const garbage = new GarbageTimer({ queue, blobs, clock, logger });
  try {
    const worker = await startWorker({
      ...{ queue, blobs, clock, logger, name, workloads, workloadsFrom: options.workloadsFrom },
      ...{ leaseMs: lease * 1000, threads, memoryMb, scratch, channelHost, channelBroker },
    });
    try {
      const facts = { jobs: maskedUrl(url), name: worker.name, workloads: worker.workloads, threads };
      logger.info(facts, "working");
      if (json === true) await writeResult(surroundings, true, facts, "");
      await untilInterrupt(interrupt, clock);
      logger.info({}, "shutting down: what is not done is given back");
    } finally {
      await worker.stop();
    }
  } finally {
    await garbage.close();
    await open.close();
  }
}
