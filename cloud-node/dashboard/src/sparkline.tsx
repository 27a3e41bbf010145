import type { FleetRow } from "../../src/api/schemas/fleet-schema.ts";

const WIDTH = 96;
const HEIGHT = 20;
const PAD = 1;

/** The last five minutes of the first channel on their real time axis: silence runs out, gaps stay open. */
export function Sparkline({ recent }: { readonly recent: FleetRow["recent"] }) {
  const path = sparkPath(recent.min, recent.max);
  return (
    <svg class="spark" width={WIDTH} height={HEIGHT} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
      <path d={path} />
    </svg>
  );
}

/** One upright stroke from minimum to maximum for each bucket that has samples. */
function sparkPath(min: readonly (number | null)[], max: readonly (number | null)[]): string {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of min) if (value !== null && value < low) low = value;
  for (const value of max) if (value !== null && value > high) high = value;
  if (low > high) return "";
  const range = high - low || 1;
  const y = (value: number): number => PAD + (1 - (value - low) / range) * (HEIGHT - 2 * PAD);
  const width = WIDTH / Math.max(1, min.length);
  let path = "";
  for (const [i, bottom] of min.entries()) {
    const top = max[i];
    if (bottom === null || top == null) continue;
    const x = ((i + 0.5) * width).toFixed(1);
    // A flat stretch is a stroke of one pixel, not nothing.
    path += `M${x} ${(y(bottom) + 0.5).toFixed(1)}V${(y(top) - 0.5).toFixed(1)}`;
  }
  return path;
}
