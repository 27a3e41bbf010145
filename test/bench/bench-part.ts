import { mkdtemp, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import type { BenchGoal, BenchOptions, BenchTable } from "./bench.ts";
import { BenchError } from "./bench-error.ts";
import { type KeptPart, KeptParts } from "./kept-parts.ts";
import type { PartOfReport } from "./parts-report.ts";

/** What a part found, or why it could not be measured here. */
export interface PartFindings {
  readonly tables: readonly BenchTable[];
  readonly goals: readonly BenchGoal[];
  readonly notes: readonly string[];
  /** What `--json` has of it, by name. */
  readonly json: Readonly<Record<string, unknown>>;
}

/** What every part is given. */
export interface PartPlace {
  /** To see whether it works: as little as can be, too little to be held against goals. */
  readonly isQuick: boolean;
  /** Scratch, a folder of this part alone. */
  readonly folder: string;
  /** A line of progress. */
  readonly say: (line: string) => void;
}

/** One thing that a benchmark of many shows, ours beside its peer. */
export interface BenchPart<Place = PartPlace> {
  /** As `--parts` takes it. */
  readonly name: string;
  run(place: Place): Promise<PartFindings>;
}

/**
 * Measure the parts that were asked for, all of them where none is named. What a part found is kept as soon as it is known: a
 * run of some parts shows the others as they were found last.
 *
 * @param bench  name of the benchmark
 * @throws {BenchError} `unknown-name` for a part that there is not
 */
export async function runParts<Place>(
  bench: string,
  parts: readonly BenchPart<Place>[],
  { parts: names, isQuick = false }: BenchOptions,
  more: Omit<Place, keyof PartPlace>,
): Promise<PartOfReport[]> {
  const asked = names === undefined ? parts : names.map((name) => partNamed(name, parts));
  const keeping = new KeptParts(bench);
  const found = new Map<string, KeptPart>(isQuick ? [] : keeping.read());
  for (const part of asked) {
    const kept = await runPart(bench, part, isQuick, more);
    found.set(part.name, kept);
    if (!isQuick) keeping.keep(part.name, kept);
  }
  return parts.map(({ name }) => ({ name, kept: found.get(name) }));
}

async function runPart<Place>(
  bench: string,
  part: BenchPart<Place>,
  isQuick: boolean,
  more: Omit<Place, keyof PartPlace>,
): Promise<KeptPart> {
  const begun = performance.now();
  const say = (line: string) => process.stderr.write(`${bench}, ${part.name}: ${line}\n`);
  say("begins");
  const folder = await mkdtemp(join(tmpdir(), `lockstep-bench-${bench}-`));
  try {
    const found = await part.run({ ...more, isQuick, folder, say } as Place);
    // So little says nothing of goals.
    const findings = isQuick ? { ...found, goals: [] } : found;
    const seconds = (performance.now() - begun) / 1000;
    say(`done after ${seconds.toFixed(0)} s`);
    for (const { title, columns, rows } of findings.tables) {
      for (const line of [title, columns.join(" | "), ...rows.map((row) => row.join(" | "))]) say(line);
    }
    for (const goal of findings.goals) say(`${goal.what}: ${goal.measured.toPrecision(4)} ${goal.unit}`);
    return { findings, date: new Date().toISOString(), seconds, load: loadavg() };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function partNamed<Place>(name: string, parts: readonly BenchPart<Place>[]): BenchPart<Place> {
  const part = parts.find((each) => each.name === name);
  if (part === undefined) {
    throw new BenchError("unknown-name", { part: name, "there are": parts.map((each) => each.name).join() });
  }
  return part;
}
