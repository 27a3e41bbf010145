/**
 * When the samples of a gap would have been, µs of device time: they end where the keyframe behind it begins.
 *
 * @param samples  lost with it; a clock that went back leaves no time for them, and a gap is still a gap
 */
export function gapTimes(
  samples: number,
  keyframeTimeUs: number,
  periodNs: number,
): { readonly fromUs: number; readonly toUs: number } {
  const lostUs = Math.round((Math.max(samples, 1) * periodNs) / 1000);
  // A device may claim any time; a larger number could be stored, but not read back.
  return { fromUs: Math.max(keyframeTimeUs - lostUs, -Number.MAX_SAFE_INTEGER), toUs: keyframeTimeUs };
}
