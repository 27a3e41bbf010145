import { cpSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { KeptRun, lockRun, type StepOutcome } from "./kept-run.ts";
import { describeMachine } from "./machine.ts";
import { ReproduceError } from "./reproduce-error.ts";
import { type ReproduceRequest, readRequest, tellRequest } from "./request.ts";
import { commandOf, heldAgainst, runStep } from "./run-step.ts";
import { sourceDigest } from "./source-digest.ts";
import { statedFigures } from "./stated-figures.ts";
import { isHeldIn, STEPS } from "./steps.ts";
import { isReproduced, type Summary, summaryPage } from "./summary.ts";

const EXIT_DEPARTS = 1;
const EXIT_WRONG_USAGE = 2;
const EXIT_INTERRUPTED = 130;
const STOPS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const RESULTS = join(ROOT, "docs/results");
const KEPT = join(ROOT, ".lockstep/reproduce");

const progress = (line: string): void => {
  process.stderr.write(`reproduce: ${line}\n`);
};

/**
 * `npm run reproduce`: run every benchmark and example, keep pages, and tell what no longer holds.
 *
 * @param args  the command line after the program
 * @returns the exit code; 1 when a figure that must be the same is not, or a step failed
 */
export async function main(args: readonly string[]): Promise<number> {
  const read = readRequest(args);
  if ("help" in read) {
    process.stdout.write(`${read.help}\n`);
    return 0;
  }
  if ("refusal" in read) {
    process.stderr.write(`${read.refusal}\n`);
    return EXIT_WRONG_USAGE;
  }
  try {
    return await runLocked(read.request);
  } catch (error) {
    if (!(error instanceof ReproduceError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return EXIT_WRONG_USAGE;
  }
}

/** One run at a time in its folder, until the end or a signal. */
async function runLocked(request: ReproduceRequest): Promise<number> {
  const folder = join(KEPT, request.form);
  const unlock = await lockRun(folder);
  const stop = new AbortController();
  const onSignal = (): void => {
    if (!stop.signal.aborted) progress("stopping; the same command goes on from here");
    stop.abort();
  };
  for (const signal of STOPS) process.on(signal, onSignal);
  try {
    return await reproduce(request, folder, stop.signal);
  } finally {
    for (const signal of STOPS) process.off(signal, onSignal);
    await unlock();
  }
}

async function reproduce(request: ReproduceRequest, folder: string, stop: AbortSignal): Promise<number> {
  const { form, only, isFresh, asJson } = request;
  const data = request.data === undefined ? undefined : resolve(request.data);
  const kept = new KeptRun(folder, { digest: sourceDigest(ROOT), form, data: data ?? "" }, isFresh);
  const steps = STEPS.filter(({ name }) => only.length === 0 || only.includes(name));
  const run = { form, data, kept, stated: RESULTS, stop };
  const outcomes: StepOutcome[] = [];
  for (const [at, step] of steps.entries()) {
    const earlier = kept.done(step.name, commandOf(step, form));
    const place = `${at + 1} of ${steps.length}: ${step.name}`;
    if (earlier !== undefined) {
      // What is written may have changed since
      outcomes.push({ ...earlier, ...(earlier.outcome === "measured" ? heldAgainst(step, run) : {}) });
      progress(`${place}: ${earlier.outcome} before`);
      continue;
    }
    progress(`${place} …`);
    const outcome = await runStep(step, run);
    if (outcome === undefined) return EXIT_INTERRUPTED;
    kept.keep(outcome);
    outcomes.push(outcome);
    progress(`${place}: ${told(outcome)}`);
  }
  const measured = outcomes.filter(({ outcome }) => outcome === "measured").map(({ name }) => name);
  const held = steps.filter(({ name }) => measured.includes(name)).filter((step) => isHeldIn(step, form));
  const places = held.map(({ name, quickHolds }) => [name, form === "quick" ? quickHolds : undefined] as const);
  const summary: Summary = {
    ...{ command: tellRequest(request), form, date: new Date().toISOString().slice(0, 10) },
    machine: describeMachine(ROOT),
    steps: outcomes,
    figures: statedFigures(kept.pages, RESULTS, new Map(places)),
  };
  const page = summaryPage(summary);
  publish(page, kept, measured, request);
  process.stdout.write(asJson ? `${JSON.stringify({ isReproduced: isReproduced(summary), ...summary })}\n` : page);
  return isReproduced(summary) ? 0 : EXIT_DEPARTS;
}

function told({ outcome, reason, seconds, departures, goalsMissed }: StepOutcome): string {
  if (outcome === "not run") return `not run: ${reason}`;
  const found = [
    ...(reason === undefined ? [] : [reason]),
    ...(departures.length === 0 ? [] : [`${departures.length} cells depart`]),
    ...(goalsMissed.length === 0 ? [] : [`${goalsMissed.length} goals missed`]),
  ];
  return [outcome, ...found, `${seconds.toFixed(0)} s`].join(", ");
}

/** Pages, plots and the summary to where they are wanted; a run of some steps has its summary in its own folder alone. */
function publish(
  page: string,
  kept: KeptRun,
  measured: readonly string[],
  { form, only, out }: ReproduceRequest,
): void {
  const name = form === "quick" ? "reproduce-quick.md" : "reproduce.md";
  writeFileSync(join(kept.folder, name), page);
  const folder = out ?? (form === "full" ? RESULTS : undefined);
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  for (const file of readdirSync(kept.pages)) {
    if (measured.some((each) => file === `${each}.md` || (file.startsWith(`${each}-`) && file.endsWith(".svg")))) {
      cpSync(join(kept.pages, file), join(folder, file));
    }
  }
  if (only.length === 0) writeFileSync(join(folder, name), page);
}
