/** How alike two runs of the same code on the same input are to be. */
export type Steadiness = "exact" | "near" | "timing" | "unheld";

/** What each steadiness allows, as the summary says it. */
export const ALLOWED: Readonly<Record<Exclude<Steadiness, "unheld">, string>> = {
  exact: "the same digits",
  near: "within 15 %: what the operating system's scheduling has a share in",
  timing: "within a factor of 2: what another machine, or a busy one, has a share in",
};

const NEAR = 0.15;
const TIMING_FACTOR = 2;

/**
 * Rules of one page: the first whose expression is found in a cell's place, `table › row › column`, says how steady the
 * cell is.
 */
type Rules = readonly (readonly [place: RegExp, steadiness: Steadiness])[];

/** In every page: when it was measured, and what the goals are, which is no measurement. */
const EVERYWHERE: Rules = [
  [/› (?:must|aim)$/, "unheld"],
  [/^main › [\w-]+ › (?:measured|seconds|load of the machine.*)$/, "unheld"],
];

/** Headings and units of what a clock, or the memory of a process, has told. */
const TIMED =
  /\b(?:ms|µs|us|ns|seconds|MB\/s|values\/s|frames\/s|queries\/s|steps\/s|jobs\/s|GFLOP|CPU|RSS|MB|build s|PyTorch|faster|speed|memory|time|core)\b|\/s\b|› s$|, s$/i;

const PAGES: Readonly<Record<string, Rules>> = {
  brokers: [
    [/› (?:of these lost|twins apart)$|^goals/, "exact"],
    [/^From device to twin/, "timing"],
    [/./, "near"],
  ],
  cloud: [
    [/› (?:lost|not confirmed|missing|confirmed and lost|frames)$/, "exact"],
    [/^goals › (?:not confirmed|confirmed frames|devices at)/, "exact"],
    [/Beside what people send.*› (?:bytes on the connection|messages|bytes in the store)/, "near"],
    [/./, "timing"],
  ],
  codec: [
    [/^Encoding time/, "timing"],
    [/^goals › .*(?:time|lookahead costs|ns)/, "timing"],
  ],
  frames: [
    [/› bytes$/, "exact"],
    [/./, "timing"],
  ],
  firmware: [[/./, "exact"]],
  "gradient-train": [
    [/killed|cut/, "near"],
    [/./, "timing"],
  ],
  history: [
    [/^Bytes of the store/, "near"],
    [/^goals › store bytes/, "near"],
    [/./, "timing"],
  ],
  jobs: [
    [/^Poisonous|^goals › (?:poison|workers that live|of these hit)/, "exact"],
    [/./, "timing"],
  ],
  latency: [
    [/› frames$/, "exact"],
    [/./, "timing"],
  ],
  macs: [[/./, "timing"]],
  page: [
    [/gzipped/, "exact"],
    [/./, "timing"],
  ],
  "power-loss": [
    [/› (?:cuts|of these lost|anything else wrong)$|^goals/, "exact"],
    [/confirmed before|booted/, "near"],
  ],
  recovery: [
    [/lost|missing/, "exact"],
    [/./, "timing"],
  ],
  speed: [
    [/› (?:channels|bits)$/, "exact"],
    [/./, "timing"],
  ],
  size: [[/./, "exact"]],
  "update-power": [[/boots that spoke/, "near"]],
  "update-refusals": [[/› (?:boots|rows confirmed)$/, "near"]],
  wire: [
    [/payload|largest error|RMS error|samples in the reopened|LoRaWAN|› frame x$/, "exact"],
    [/./, "near"],
  ],
};

/**
 * How steady a cell is.
 *
 * @param page  its name, such as `codec`
 * @param place  `table › row › column`
 * @param text  what stands there: a unit in it counts, too
 */
export function steadinessOf(page: string, place: string, text: string): Steadiness {
  const rules = [...EVERYWHERE, ...(PAGES[page] ?? [])];
  const rule = rules.find(([pattern]) => pattern.test(place));
  if (rule !== undefined) return rule[1];
  return TIMED.test(`${place} ${text}`) ? "timing" : "exact";
}

/**
 * How far apart two values are, as a part of what is stated, and whether that is allowed.
 *
 * @param half  half a unit of the last digit that is stated
 */
export function isHeld(steadiness: Steadiness, stated: number, measured: number, half = 0): boolean {
  if (Math.abs(measured - stated) <= half * (1 + 1e-9)) return true;
  if (steadiness === "exact") return false;
  if (steadiness === "near") return Math.abs(measured - stated) <= NEAR * Math.abs(stated) + half;
  const [low, high] = [Math.abs(stated), Math.abs(measured)].toSorted((a, b) => a - b) as [number, number];
  return Math.sign(stated) === Math.sign(measured) && high - half <= TIMING_FACTOR * (low + half);
}
