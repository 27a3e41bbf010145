import { open } from "node:fs/promises";
import { formatCount, formatCounted, formatNumber, formatQuantity } from "../../api/number-text.ts";
import { accountOf, type ColumnAccount, type ContainerAccount } from "../../workloads/trajectory/container-account.ts";
import { ContainerReader } from "../../workloads/trajectory/container-reader.ts";
import { checkFiles } from "../partial-file.ts";
import { writeResult } from "../result-output.ts";
import type { Surroundings } from "../surroundings.ts";

/** `lockstep trajectory info`. */
export async function runInfo(surroundings: Surroundings, input: string, options: { json?: boolean }): Promise<void> {
  await checkFiles(input, undefined);
  const file = await open(input);
  try {
    const { size: bytes } = await file.stat();
    const reader = await ContainerReader.open(file, input);
    const account = await accountOf(reader);
    const groupBytes = account.groups.reduce((sum, group) => sum + group.bytes, 0);
    const otherBytes = bytes - account.headBytes - groupBytes;
    const { writer, isFinished, damage } = reader;
    const result = { file: input, bytes, writer, isFinished, damage, ...account, otherBytes };
    await writeResult(surroundings, options.json, result, infoText(result));
  } finally {
    await file.close();
  }
}

type Info = ContainerAccount &
  Pick<ContainerReader, "writer" | "isFinished" | "damage"> & {
    readonly file: string;
    readonly bytes: number;
    readonly otherBytes: number;
  };

function infoText(info: Info): string {
  const { file, bytes, frames, chunks, atoms, steps, units, columns, writer, groups, headBytes, otherBytes } = info;
  const span = steps === null ? "" : `, steps ${steps.join(" to ")}`;
  const lines = [
    `${file}: ${formatQuantity(bytes, "B", "up")}, written by ${writer}`,
    `frames   ${formatCount(frames)} in ${formatCounted(chunks, "chunk")}${span}`,
    `atoms    ${atoms[0] === atoms[1] ? formatCount(atoms[0]) : atoms.map(formatCount).join(" to ")}`,
    `columns  ${columns.join(" ")}`,
    ...(units === null ? [] : [`units    ${units}`]),
    "",
  ];
  const rows = [
    ["columns", "bound", "bytes", "of file", "bits/value"],
    ...groups.map((group) => [
      ...[group.columns.join(" "), boundText(group), ...shareOf(group.bytes, bytes)],
      formatNumber(group.bitsPerValue, "up"),
    ]),
    ["ids, steps, boxes, turns", "", ...shareOf(headBytes, bytes), ""],
    ["file's own, index, damage", "", ...shareOf(otherBytes, bytes), ""],
  ];
  lines.push(...table(rows));
  for (const { from, to, problem } of info.damage) lines.push(`bytes ${from} to ${to} are lost: ${problem}`);
  if (!info.isFinished) lines.push("there is no index: its writer did not come to its end, or that was cut off");
  return lines.join("\n");
}

function boundText({ mode, eps: [least, most] }: ColumnAccount): string {
  if (mode === "exact") return "as it was";
  const [low, high] = [least, most].map((eps) => Number((eps ?? 0).toPrecision(4)));
  const range = low === high ? `${low}` : `${low} to ${high}`;
  return mode === "rms" ? `${range}, rms` : range;
}

function shareOf(part: number, whole: number): [string, string] {
  return [formatQuantity(part, "B", "up"), `${((100 * part) / whole).toFixed(1)} %`];
}

/** Columns as wide as their longest cell, the first two to the left. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, k) => Math.max(...rows.map((row) => (row[k] ?? "").length)));
  return rows.map((row) =>
    row
      .map((cell, k) => (k < 2 ? cell.padEnd(widths[k] ?? 0) : cell.padStart(widths[k] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}
