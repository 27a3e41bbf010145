import type { Clock } from "@lockstep/edge-sdk";
import { WAITS_FOR_WORKER, waitsForWorker } from "../../api/job-wait.ts";
import type { JobAnswer } from "../../api/schemas/job-schema.ts";
import { isOver } from "../../jobs/job.ts";
import type { OutputStream } from "../surroundings.ts";
import { stateText } from "./job-text.ts";
import { plainText } from "./plain-text.ts";

/** Work shorter than this shows nothing. */
const QUIET_MS = 1_000;
/** At most five times a second. */
const INTERVAL_MS = 200;
const BAR_CELLS = 20;
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

/**
 * Progress of several jobs, one below the other, on a terminal, from the first second on; nothing at all where standard
 * error is none.
 *
 *     telemetry 3f2a9c1d  [##########..........]  52 %  block 12 of 40
 *     telemetry 77b01e42  queued
 */
export class JobLines {
  /** By id, as they were told last: several may watch jobs of their own. */
  readonly #jobs = new Map<string, JobAnswer>();
  readonly #stream: OutputStream;
  readonly #clock: Clock;
  readonly #startedMs: number;
  #drawn = 0;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(stream: OutputStream, clock: Clock) {
    this.#stream = stream;
    this.#clock = clock;
    this.#startedMs = clock.nowMs();
  }

  draw(jobs: readonly JobAnswer[]): void {
    for (const job of jobs) this.#jobs.set(job.id, job);
    const nowMs = this.#clock.nowMs();
    if (this.#stream.isTTY !== true || nowMs - this.#startedMs < QUIET_MS || nowMs - this.#lastMs < INTERVAL_MS) return;
    this.#lastMs = nowMs;
    const most = Math.max(1, (this.#stream.rows ?? DEFAULT_ROWS) - 2);
    // What still goes on is what one looks at.
    const sorted = [...this.#jobs.values()].sort((a, b) => Number(isOver(a.state)) - Number(isOver(b.state)));
    const unixMs = this.#clock.unixUs() / 1000;
    const shown = sorted.slice(0, sorted.length > most ? most - 1 : most).map((job) => jobLine(job, unixMs));
    const left = sorted.length - shown.length;
    if (left > 0) shown.push(`… and ${left} more`);
    const columns = (this.#stream.columns ?? DEFAULT_COLUMNS) - 1;
    const lines = shown.map((line) => `\u001b[K${line.slice(0, columns)}\n`);
    this.#stream.write(`${this.#up}\u001b[J${lines.join("")}`);
    this.#drawn = lines.length;
  }

  /** Take the lines away; who watches jobs that still go on draws those again. */
  clear(): void {
    for (const [id, { state }] of this.#jobs) if (isOver(state)) this.#jobs.delete(id);
    if (this.#drawn > 0) this.#stream.write(`${this.#up}\u001b[J`);
    this.#drawn = 0;
  }

  get #up(): string {
    return this.#drawn === 0 ? "" : `\u001b[${this.#drawn}A\r`;
  }
}

/** How a job stands, on one line. */
function jobLine(job: JobAnswer, unixMs: number): string {
  const name = `${job.workload} ${job.id.slice(0, 8)}`;
  const { progress } = job;
  if (waitsForWorker(job, unixMs)) return `${name}  ${stateText(job)}: ${WAITS_FOR_WORKER}`;
  if (job.state !== "running" || progress === null) return `${name}  ${stateText(job)}`;
  const { fraction } = progress;
  const note = plainText(progress.note);
  if (fraction === null) return `${name}  ${note}`;
  const cells = Math.floor(fraction * BAR_CELLS);
  const bar = `[${"#".repeat(cells)}${".".repeat(BAR_CELLS - cells)}]`;
  return `${name}  ${bar}  ${Math.floor(fraction * 100)} %  ${note}`;
}
