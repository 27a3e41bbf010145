import type { BenchReport } from "./bench.ts";
import type { KeptPart } from "./kept-parts.ts";

/** A part, and what is known of it. */
export interface PartOfReport {
  readonly name: string;
  /** Undefined where it was never measured. */
  readonly kept: KeptPart | undefined;
}

/** All parts as one page: goals, tables in the order of parts, and when and under which load each was measured. */
export function reportOf(title: string, notes: readonly string[], parts: readonly PartOfReport[]): BenchReport {
  const measured = parts.flatMap(({ name, kept }) => (kept === undefined ? [] : [{ ...kept, name }]));
  const missing = parts.filter(({ kept }) => kept === undefined).map(({ name }) => name);
  return {
    title,
    columns: ["part", "measured", "seconds", "load of the machine, 1 and 15 minutes"],
    rows: measured.map(({ name, date, seconds, load: [short = 0, , long = 0] }) => [
      ...[name, date.slice(0, 10), seconds.toFixed(0), `${short.toFixed(1)}, ${long.toFixed(1)}`],
    ]),
    goals: measured.flatMap(({ findings }) => findings.goals),
    more: measured.flatMap(({ findings }) => findings.tables),
    notes: [
      "`--parts NAME,...` measures some parts anew and shows the others as they were found last.",
      ...notes,
      ...measured.flatMap(({ findings }) => findings.notes),
      ...(missing.length === 0 ? [] : [`Not measured yet: ${missing.join(", ")}.`]),
    ],
    json: Object.assign({}, ...measured.map(({ findings }) => findings.json)),
  };
}
