import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { unlessAbsent } from "../../jobs/disk-call.ts";
import { linkPlot } from "../../workloads/gradient/link-plot.ts";
import { LINK_SPEEDS, linkedSeconds, payingSpeed, payingText, speedText } from "../../workloads/gradient/link-time.ts";
import { lossCurvesPlot } from "../../workloads/language-model/loss-plot.ts";
import { markdownTable, tableText } from "../../workloads/language-model/table-text.ts";
import { CommandError } from "../command-error.ts";
import type { ReportOptions } from "../gradient.ts";
import { replaceWhole } from "../partial-file.ts";
import { writeResult } from "../result-output.ts";
import type { Surroundings } from "../surroundings.ts";
import { checkAreAlike, otherOptions, readTrainedRun, type TrainedRun } from "./read-trained-run.ts";

/** A run beside the baseline. */
interface ReportRow {
  readonly run: string;
  readonly compress: string;
  /** Of one worker in one step: what the method made, what it took on the wire, and what came down. */
  readonly messageBytes: number;
  readonly uplinkBytes: number;
  readonly downlinkBytes: number;
  readonly ratio: number;
  readonly valLoss: number;
  /** Above the baseline's, %. */
  readonly degradation: number;
  /** Of a step: as the run took it, and with lines of each speed, bytes a second. */
  readonly seconds: number;
  readonly linked: readonly { readonly bytesPerSecond: number; readonly seconds: number }[];
  /** Below this speed steps are shorter than the baseline's, bytes a second; null where they are at any. */
  readonly paysBelow: number | null;
  /** Options of the run that are not the baseline's: its loss may differ by those as well. */
  readonly otherOptions: readonly string[];
}

const HEAD = "Means over all steps of one worker; seconds are those of the runs, with what lines would take on top.";

/** `lockstep gradient report`. @param folders  the baseline's first */
export async function runReport(
  surroundings: Surroundings,
  folders: readonly string[],
  { out, force, json }: ReportOptions,
): Promise<void> {
  const path = join(out, "report.json");
  if (force !== true && (await stat(path).catch(unlessAbsent)) !== undefined) {
    throw new CommandError("refused", `there is a report in ${out}`, "name another folder, or add --force");
  }
  const runs: TrainedRun[] = [];
  for (const folder of folders) runs.push(await readTrainedRun(folder));
  checkAreAlike(runs);
  const rows = runs.map((run) => rowOf(run, runs[0] ?? run));
  await mkdir(out, { recursive: true });
  const losses = runs.map((run) => run.losses);
  await replaceWhole(join(out, "loss.svg"), lossCurvesPlot(losses, "Validation loss of runs with several workers"));
  await replaceWhole(join(out, "links.svg"), linkPlot(runs, "When compression pays: seconds of a step"));
  const tables = [exchangeTable(rows), linkTable(rows)];
  const notes = rows.flatMap(({ run, otherOptions: other }) => {
    return other.length === 0 ? [] : [`${run} has other options than ${rows[0]?.run}: ${other.join(", ")}.`];
  });
  await replaceWhole(join(out, "report.md"), markdown(tables, notes));
  await replaceWhole(path, `${JSON.stringify({ baseline: rows[0]?.run, rows }, undefined, 2)}\n`);
  const text = [...tables.map(tableText), ...notes, `${out}: loss.svg, links.svg, report.md, report.json`].join("\n\n");
  await writeResult(surroundings, json, { out, baseline: rows[0]?.run, rows }, text);
}

function rowOf(run: TrainedRun, baseline: TrainedRun): ReportRow {
  const { name, exchange, valLoss, cost } = run;
  const speed = payingSpeed(cost, baseline.cost);
  return {
    ...{ run: name, compress: exchange.compress, ratio: exchange.ratio, valLoss, seconds: cost.seconds },
    ...{ messageBytes: exchange.uplinkPayload, uplinkBytes: cost.uplink, downlinkBytes: cost.downlink },
    degradation: 100 * (valLoss / baseline.valLoss - 1),
    linked: LINK_SPEEDS.map((bytesPerSecond) => ({ bytesPerSecond, seconds: linkedSeconds(cost, bytesPerSecond) })),
    paysBelow: Number.isFinite(speed) ? speed : null,
    otherOptions: otherOptions(run, baseline),
  };
}

function exchangeTable(rows: readonly ReportRow[]): string[][] {
  const titles = ["run", "compress", "up, B/step", "message", "envelope", "down, B/step", "ratio", "val loss", "above"];
  return [
    titles,
    ...rows.map((row) => [
      ...[row.run, row.compress, row.uplinkBytes.toFixed(0), row.messageBytes.toFixed(0)],
      ...[(row.uplinkBytes - row.messageBytes).toFixed(0), row.downlinkBytes.toFixed(0)],
      ...[`${row.ratio.toFixed(1)}x`, row.valLoss.toFixed(4), `${row.degradation.toFixed(2)} %`],
    ]),
  ];
}

function linkTable(rows: readonly ReportRow[]): string[][] {
  return [
    ["seconds of a step", "as it ran", ...LINK_SPEEDS.map(speedText), "pays below"],
    ...rows.map(({ run, seconds, linked, paysBelow }, at) => [
      ...[run, seconds.toFixed(3), ...linked.map((line) => line.seconds.toFixed(3))],
      at === 0 ? "" : payingText(paysBelow ?? Number.POSITIVE_INFINITY),
    ]),
  ];
}

function markdown(tables: readonly (readonly (readonly string[])[])[], notes: readonly string[]): string {
  const pictures = "![loss](loss.svg)\n\n![links](links.svg)";
  return [
    "# Runs of `lockstep gradient train` beside each other",
    HEAD,
    ...tables.map(markdownTable),
    ...notes,
    pictures,
    "",
  ].join("\n\n");
}
