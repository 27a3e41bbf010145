import { formatNumber } from "../api/number-text.ts";
import type { Explanation } from "../workloads/telemetry/explain-file.ts";
import { plainText } from "./jobs/plain-text.ts";

const HEAD = ["channel", "eps", "signal", "hold", "line", "residual", "coded", "miss"];
/** Bits are compared with each other, so all have as many digits. */
const BIT_DECIMALS = 2;

/** Bits of every channel and their means, as lines of a table; what channels know of each other stands in the last one. */
export function explanationTable({ channels, codedAlone, codedTogether }: Explanation): string[] {
  const mean = (bitsOf: (channel: Explanation["channels"][number]) => number) =>
    channels.reduce((sum, channel) => sum + bitsOf(channel), 0) / channels.length;
  return aligned([
    HEAD,
    ...channels.map(({ name, eps, signal, hold, line, residual, coded }) => [
      plainText(name),
      formatNumber(eps),
      ...[signal, hold, line, residual].map(({ bits }) => bits.toFixed(BIT_DECIMALS)),
      coded.toFixed(BIT_DECIMALS),
      formatNumber(residual.rms),
    ]),
    [
      "mean",
      "",
      ...(["signal", "hold", "line", "residual"] as const).map((way) =>
        mean((channel) => channel[way].bits).toFixed(BIT_DECIMALS),
      ),
      codedAlone.toFixed(BIT_DECIMALS),
      "",
    ],
    ["coded together", "", "", "", "", "", codedTogether.toFixed(BIT_DECIMALS), ""],
  ]);
}

/** Columns as wide as their longest cell, the first to the left. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = HEAD.map((_, k) => Math.max(...rows.map((row) => (row[k] ?? "").length)));
  return rows.map((row) =>
    row
      .map((cell, k) => (k === 0 ? cell.padEnd(widths[k] ?? 0) : cell.padStart(widths[k] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}
