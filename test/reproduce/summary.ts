import type { Departure } from "./compare-pages.ts";
import type { StepOutcome } from "./kept-run.ts";
import type { StatedFigure } from "./stated-figures.ts";
import { ALLOWED, type Steadiness } from "./steadiness.ts";
import type { Form } from "./steps.ts";

/** All that came of a run. */
export interface Summary {
  readonly command: string;
  readonly form: Form;
  /** Year, month, day. */
  readonly date: string;
  readonly machine: readonly (readonly [what: string, value: string])[];
  readonly steps: readonly StepOutcome[];
  readonly figures: readonly StatedFigure[];
}

/** Whether nothing that must agree departs or is gone, and nothing that was run failed. */
export function isReproduced({ steps, figures }: Summary): boolean {
  const departs = steps.some(({ departures }) => departures.some(isFirm));
  const figureDeparts = figures.some((figure) => !figure.isHeld && isFirm(figure));
  const isGone = steps.some(({ rowsMissing }) => rowsMissing.length > 0);
  return !departs && !figureDeparts && !isGone && !steps.some(({ outcome }) => outcome === "failed");
}

/** The summary as a page. */
export function summaryPage(summary: Summary): string {
  const { command, date, machine, steps, figures } = summary;
  const ran = steps.filter(({ outcome }) => outcome !== "not run");
  const left = steps.filter(({ outcome }) => outcome === "not run");
  const seconds = ran.reduce((sum, step) => sum + step.seconds, 0);
  const departures = steps.flatMap((step) => step.departures);
  const cells = steps.reduce((sum, step) => sum + step.cells, 0);
  const apart = figures.filter((figure) => !figure.isHeld);
  const machineText = `${machine[0]?.[1] ?? "unknown"}, Node ${process.versions.node}`;
  return [
    `<!-- Made by \`${command}\`; do not edit. -->`,
    "# Every figure again",
    "",
    `\`${command}\`, ${date}, on ${machineText}.`,
    "",
    `${ran.length} of ${steps.length} steps ran, in ${(seconds / 60).toFixed(1)} minutes. ${cells} cells of the pages in docs/results were measured again: ${counted(departures)} depart. ${figures.length} figures of the documents were measured again: ${apart.length} depart.`,
    "",
    "What is held to what:",
    "",
    ...Object.entries(ALLOWED).map(([name, allowed]) => `- ${name}: ${allowed}`),
    "",
    "## Steps",
    "",
    ...table(
      ["step", "outcome", "seconds", "load", "cells held", "departures", "rows not measured", "goals missed"],
      ran.map((step) => [
        `\`${step.command}\``,
        step.outcome,
        step.seconds.toFixed(0),
        step.load.toFixed(1),
        step.cells,
        step.departures.length,
        step.rowsMissing.length,
        step.goalsMissed.length,
      ]),
    ),
    "",
    ...section(
      "Failed",
      ran.filter(({ outcome }) => outcome === "failed").map(({ name, reason = "" }) => `- ${name}: ${reason}`),
    ),
    ...section(
      "Not run",
      left.map(({ name, reason = "" }) => `- not run: ${name}: ${reason}`),
    ),
    ...section("What no longer holds", [
      ...figureTable(apart.filter(isFirm)),
      ...departureTable(departures.filter(isFirm)),
    ]),
    ...section(
      "Rows that were not measured",
      ran.flatMap(({ rowsMissing }) => rowsMissing.map((row) => `- ${row}`)),
    ),
    ...section("Times that are apart", [
      ...figureTable(apart.filter((each) => !isFirm(each))),
      ...departureTable(departures.filter((each) => !isFirm(each))),
    ]),
    ...section(
      "Goals missed in this run",
      ran.flatMap(({ name, goalsMissed }) => goalsMissed.map((goal) => `- ${name}: ${goal}`)),
    ),
    "## Machine",
    "",
    ...table(["what", "value"], machine),
    "",
  ].join("\n");
}

/** Whether it fails the run when it departs: times of another machine, or a busy one, do not. */
function isFirm({ steadiness }: { readonly steadiness: Steadiness }): boolean {
  return steadiness !== "timing";
}

function figureTable(figures: readonly StatedFigure[]): string[] {
  if (figures.length === 0) return [];
  const rows = figures.map(({ document, text, stated, measured, distance, steadiness }) => [
    ...[
      document,
      text.replaceAll("|", "\\|"),
      stated,
      Number.isNaN(measured) ? "not there" : Number(measured.toPrecision(4)),
      percent(distance),
      steadiness,
    ],
  ]);
  return [...table(["document", "words", "stated", "measured", "distance", "held to"], rows), ""];
}

function departureTable(departures: readonly Departure[]): string[] {
  if (departures.length === 0) return [];
  const rows = departures.map(({ place, stated, measured, distance, steadiness }) => [
    ...[place, stated, measured, distance === undefined ? "" : percent(distance), steadiness],
  ]);
  return table(["cell", "stated", "measured", "distance", "held to"], rows);
}

function counted(departures: readonly Departure[]): string {
  const of = (steadiness: string) => departures.filter((each) => each.steadiness === steadiness).length;
  return `${of("exact")} of those that must be the same, ${of("near")} of those that are near, ${of("timing")} of times`;
}

function percent(part: number): string {
  if (Number.isNaN(part)) return "";
  return `${part > 0 ? "+" : ""}${Number((100 * part).toPrecision(3))} %`;
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`## ${title}`, "", ...lines, ""];
}

function table(columns: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
  return [line(columns), `|${columns.map(() => "---").join("|")}|`, ...rows.map(line)];
}
