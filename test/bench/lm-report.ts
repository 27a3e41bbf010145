import type { BenchReport } from "./bench.ts";
import type { KeptPart } from "./lm-kept.ts";
import type { LmPart } from "./lm-part.ts";

/** A part, and what is known of it. */
export interface PartOfReport {
  readonly part: LmPart;
  /** Undefined where it was never measured. */
  readonly kept: KeptPart | undefined;
}

/** All parts as one page: goals, tables in the order of parts, and when and under which load each was measured. */
export function reportOf(parts: readonly PartOfReport[]): BenchReport {
  const measured = parts.flatMap(({ part, kept }) => (kept === undefined ? [] : [{ ...kept, name: part.name }]));
  const missing = parts.filter(({ kept }) => kept === undefined).map(({ part }) => part.name);
  return {
    title: "The language-model lab",
    columns: ["part", "measured", "seconds", "load of the machine, 1 and 15 minutes"],
    rows: measured.map(({ name, date, seconds, load: [short = 0, , long = 0] }) => [
      ...[name, date.slice(0, 10), seconds.toFixed(0), `${short.toFixed(1)}, ${long.toFixed(1)}`],
    ]),
    goals: measured.flatMap(({ findings }) => findings.goals),
    more: measured.flatMap(({ findings }) => findings.tables),
    notes: [
      "Times are processor times, so that a busy machine shows in them little. `--parts NAME,...` measures some parts anew and shows the others as they were found last.",
      ...measured.flatMap(({ findings }) => findings.notes),
      ...(missing.length === 0 ? [] : [`Not measured yet: ${missing.join(", ")}.`]),
    ],
    json: Object.assign({}, ...measured.map(({ findings }) => findings.json)),
  };
}
