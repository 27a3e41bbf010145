import { MAX_JOB_ATTEMPTS } from "@lockstep/protocol";
import { type Command, InvalidArgumentError, Option } from "commander";
import { JOB_STATES, type JobState, type Json } from "../jobs/job.ts";
import { MOST_JOBS } from "../jobs/job-queue.ts";
import { SEAT_SALT } from "../jobs/seat-salt.ts";
import type { InputFile } from "./jobs/job-request.ts";
import { inputOf, parseInput, parseParam } from "./jobs/job-request.ts";
import { WORKLOADS_FROM_HELP } from "./jobs/known-workloads.ts";
import { DEFAULT_QUEUE, QUEUE_HELP, type QueueOptions } from "./jobs/open-door.ts";
import { CA_HELP, TOKEN_FILE_HELP } from "./node-token.ts";
import { parseNonNegative, parsePositiveCount } from "./option-values.ts";
import type { Surroundings } from "./surroundings.ts";
import { workloadsHelp } from "./workload-help.ts";

/** What every command of jobs takes. */
export interface JobsOptions extends QueueOptions {
  readonly json?: boolean;
}

export interface SubmitOptions extends JobsOptions {
  readonly param: readonly (readonly [name: string, value: Json])[];
  readonly params?: string;
  readonly input: readonly InputFile[];
  readonly salt: string;
  readonly attempts?: number;
  readonly watch?: boolean;
  readonly workloadsFrom?: string;
}

export interface ListOptions extends JobsOptions {
  readonly state: readonly JobState[];
  readonly workload?: string;
  readonly limit: number;
}

export interface ShowOptions extends JobsOptions {
  readonly out?: string;
  readonly force?: boolean;
}

/** Days; jobs that ended longer ago are forgotten. */
const PRUNE_DAYS = 30;

const HELP = `
Heavy work: a job is handed in to a queue, and whichever worker has room does it (lockstep worker, or
lockstep serve --job-threads N). A worker that dies costs time and nothing else: another one goes on. The same request is
the same job, so that handing it in twice does it once; --salt makes a difference.
The queue is a file on this machine (sqlite:FILE), NATS JetStream (nats://HOST:PORT), or a node's (its page's address). A
JOB is an id of \`jobs list\`, or its beginning.

Examples:
  $ lockstep jobs submit telemetry drive.csv --param eps=0.05 --watch
  $ lockstep jobs list --state queued,running
  $ lockstep jobs show 3f2a9c1d --out results
  $ lockstep jobs watch --queue http://localhost:8080`;

/** `lockstep jobs`: hand in, look, watch, cancel, begin anew, forget. */
export function addJobs(program: Command, surroundings: Surroundings): void {
  const jobs = program
    .command("jobs")
    .summary("heavy work on this machine or others: hand in, watch, cancel, fetch")
    .description("Hand in jobs, and see what becomes of them.")
    .addHelpText("after", HELP);
  const add = (name: string, summary: string, description: string, example: string): Command =>
    withQueue(jobs.command(name).summary(summary).description(description)).addHelpText(
      "after",
      `\nExample:\n  $ lockstep jobs ${example}`,
    );

  add(
    "submit",
    "hand in a job, with the files that it needs",
    "Send the files that are not there yet, and hand in a job. It is kept for good once its id is printed.",
    "submit telemetry drive.csv --param eps=0.05 --watch",
  )
    .argument("<WORKLOAD>", "kind of work: see below")
    .argument("[FILE...]", "inputs, each under its own name")
    .option("--input <NAME=PATH>", "an input under another name; may be repeated", collect(parseInput), [])
    .option("--param <NAME=VALUE>", "a parameter, JSON or else text; may be repeated", collect(parseParam), [])
    .option("--params <FILE>", "JSON file of parameters")
    .option("--salt <TEXT>", "makes equal requests different jobs", parseSalt, "")
    .option("--attempts <N>", `how often it is tried, 1 to ${MAX_JOB_ATTEMPTS} (default: 3)`, parseAttempts)
    .option("--watch", "follow it to its end; exit code 1 unless it is done")
    .option("--workloads-from <FILE>", WORKLOADS_FROM_HELP)
    .addHelpText("after", `\n${workloadsHelp()}`)
    .action(async (workload: string, files: readonly string[], options: SubmitOptions) => {
      const { runSubmit } = await import("./jobs/run-submit.ts");
      await runSubmit(surroundings, workload, [...files.map(inputOf), ...options.input], options);
    });
  add("list", "the jobs, newest first", "List jobs, newest first.", "list --state queued,running")
    .option("--state <STATES>", `${JOB_STATES.join(", ")}, with commas between (default: all)`, parseStates, [])
    .option("--workload <NAME>", "of this kind alone")
    .option("--limit <N>", `at most so many, up to ${MOST_JOBS}`, parseLimit, 50)
    .action(async (options: ListOptions) => {
      const { runList } = await import("./jobs/run-look.ts");
      await runList(surroundings, options);
    });
  add(
    "watch",
    "follow jobs to their end",
    "Follow jobs to their end; without a JOB all that are queued or running now. Ctrl-C ends this command alone.",
    "watch 3f2a9c1d",
  )
    .argument("[JOB...]", "ids, or their beginnings")
    .action(async (ids: readonly string[], options: JobsOptions) => {
      const { runWatch } = await import("./jobs/run-look.ts");
      await runWatch(surroundings, ids, options);
    });
  add(
    "show",
    "how a job stands, what it said and left",
    "Show a job; with --out bring what it left.",
    "show 3f2a9c1d --out results",
  )
    .argument("<JOB>", "its id, or its beginning")
    .option("--out <DIR>", "bring its outputs into this folder, verified")
    .option("--force", "write over files that are in that folder already")
    .action(async (id: string, options: ShowOptions) => {
      const { runShow } = await import("./jobs/run-look.ts");
      await runShow(surroundings, id, options);
    });
  add(
    "cancel",
    "let a job end",
    "Let a job end: at once where nobody works on it, else within seconds.",
    "cancel 3f2a9c1d",
  )
    .argument("<JOB>", "its id, or its beginning")
    .action(async (id: string, options: JobsOptions) => {
      const { runChange } = await import("./jobs/run-change.ts");
      await runChange(surroundings, "cancel", id, options);
    });
  add(
    "retry",
    "let a job begin anew",
    "Let a job that is failed, dead or cancelled begin anew, with all its attempts.",
    "retry 3f2a9c1d",
  )
    .argument("<JOB>", "its id, or its beginning")
    .action(async (id: string, options: JobsOptions) => {
      const { runChange } = await import("./jobs/run-change.ts");
      await runChange(surroundings, "retry", id, options);
    });
  add(
    "prune",
    "forget jobs that ended long ago",
    "Forget jobs that ended long ago. Files that no job names any more are deleted once they are an hour old.",
    `prune --older-than ${PRUNE_DAYS}`,
  )
    .option("--older-than <DAYS>", "jobs that ended so many days ago, or more", parseNonNegative, PRUNE_DAYS)
    .action(async (options: JobsOptions & { olderThan: number }) => {
      const { runPrune } = await import("./jobs/run-change.ts");
      await runPrune(surroundings, options);
    });
}

function withQueue(command: Command): Command {
  return command
    .addOption(new Option("--queue <URL>", QUEUE_HELP).default(DEFAULT_QUEUE))
    .option("--token-file <FILE>", TOKEN_FILE_HELP)
    .option("--ca <FILE>", CA_HELP)
    .option("--json", "one JSON object on standard output");
}

function collect<Value>(parse: (text: string) => Value) {
  return (text: string, before: readonly Value[]): readonly Value[] => [...before, parse(text)];
}

function parseSalt(text: string): string {
  if (/^[A-Za-z0-9_-]{0,64}$/.test(text) && !text.startsWith(SEAT_SALT)) return text;
  throw new InvalidArgumentError(`write up to 64 letters, digits, _ or -, not ${SEAT_SALT} at the beginning`);
}

function parseAttempts(text: string): number {
  const attempts = parsePositiveCount(text);
  if (attempts <= MAX_JOB_ATTEMPTS) return attempts;
  throw new InvalidArgumentError(`write a whole number from 1 to ${MAX_JOB_ATTEMPTS}`);
}

function parseLimit(text: string): number {
  const limit = parsePositiveCount(text);
  if (limit <= MOST_JOBS) return limit;
  throw new InvalidArgumentError(`write a whole number from 1 to ${MOST_JOBS}`);
}

function parseStates(text: string): readonly JobState[] {
  const names = text.split(",").map((name) => name.trim());
  const states = JOB_STATES.filter((state) => names.includes(state));
  if (states.length === new Set(names).size) return states;
  throw new InvalidArgumentError(`write some of ${JOB_STATES.join(", ")}, with commas between`);
}
