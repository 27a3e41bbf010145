/** Frames by number: `from` to before `to`, every `step`-th. Negative ones count from the end. */
export interface FrameRange {
  readonly from: number;
  /** undefined: to the end. */
  readonly to: number | undefined;
  /** 1 …. */
  readonly step: number;
}

/** Read `7`, `-1`, `10:20`, `:20`, `::10`; undefined for anything else. */
export function parseFrameRange(text: string): FrameRange | undefined {
  const [from, to, step, ...more] = text.split(":").map((part) => part.trim());
  const isNumber = (part: string) => /^(-?\d{1,15})?$/.test(part);
  if (from === undefined || more.length > 0 || ![from, to ?? "", step ?? ""].every(isNumber)) return undefined;
  if (to === undefined) {
    // Frame -1 is the last one: behind it there is no frame 0.
    if (from === "") return undefined;
    return { from: Number(from), to: Number(from) === -1 ? undefined : Number(from) + 1, step: 1 };
  }
  const every = step === undefined || step === "" ? 1 : Number(step);
  if (every < 1) return undefined;
  return { from: from === "" ? 0 : Number(from), to: to === "" ? undefined : Number(to), step: every };
}

/** The frames that a range means of so many. */
export function framesIn(range: FrameRange | undefined, count: number): number[] {
  const { from, to = count, step } = range ?? { from: 0, step: 1 };
  const place = (frame: number) => Math.max(0, Math.min(count, frame < 0 ? count + frame : frame));
  const frames: number[] = [];
  for (let frame = place(from); frame < place(to); frame += step) frames.push(frame);
  return frames;
}
