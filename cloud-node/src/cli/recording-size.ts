import { formatCounted } from "../api/number-text.ts";

/** "900 samples of 2 channels and their times": a time column is no channel. */
export function recordingSize(samples: number, channels: number, hasTimes: boolean): string {
  const size = `${formatCounted(samples, "sample")} of ${formatCounted(channels, "channel")}`;
  if (!hasTimes) return size;
  return `${size} and ${samples === 1 ? "its time" : "their times"}`;
}
