/** How alike two runs of the same code on the same input are to be. */
export type Steadiness = "exact" | "near" | "timing" | "unheld";

/** What each steadiness allows, as the summary says it. */
export const ALLOWED: Readonly<Record<Exclude<Steadiness, "unheld">, string>> = {
  exact: "the same digits",
  near: "within 15 %: what the operating system's scheduling, or another library, has a share in",
  timing: "within a factor of 2: what another machine, or a busy one, has a share in",
};

const NEAR = 0.15;
const TIMING_FACTOR = 2;

/**
 * Rules of one page: the first whose expression is found in a cell's place, `table › row › column`, says how steady the
 * cell is. What no rule names is judged by its unit.
 */
type Rules = readonly (readonly [place: RegExp, steadiness: Steadiness])[];

/** In every page: when it was measured, and what the goals are, which is no measurement. */
const EVERYWHERE: Rules = [
  [/^goals › .* › (?:must|aim)$/, "unheld"],
  [/^main › [\w-]+ › (?:measured|seconds|load of the machine.*)$/, "unheld"],
];

/** A column, or the words of a goal, of times, rates and the memory of processes. */
const TIMED =
  /(?<!['’])\b(?:ms|µs|us|ns|s|seconds|MB|GB|RSS|CPU s|CPU ms|time|times of|speed|speeds|processor|threads against|resident|peak)\b|\/s\b|per core|of a core/;
/** The unit of a goal's figure. */
const TIMED_UNIT = /\d (?:ms|µs|us|ns|s|MB|GB|% of a core|[\w ]*\/s)$/;

const PAGES: Readonly<Record<string, Rules>> = {
  brokers: [
    [/› (?:of these lost|twins apart|kills)$|^goals/, "exact"],
    // After how long a broker gives up, and how fast all are back
    [/./, "timing"],
  ],
  cloud: [
    [/› (?:lost|not confirmed|missing|devices|frames|confirmed and lost)$/, "exact"],
    [/› Lockstep › (?:confirmed and lost, killed|missing, killed|messages)$/, "exact"],
    [/^goals › (?:not confirmed|confirmed frames|devices at)/, "exact"],
    [/Beside what people send.*› (?:bytes on the connection|messages|bytes in the store)/, "near"],
    // What others lose depends on the moment at which they are killed
    [/./, "timing"],
  ],
  codec: [
    [/^Encoding time/, "timing"],
    [/./, "exact"],
  ],
  firmware: [
    // How deep a stack was when an interrupt came is the emulator's clock's doing
    [/^goals › [^›]*RAM|^RAM by what it is for|› (?:RAM[^›]*|[^›]*stack[^›]*)$/, "near"],
    [/./, "exact"],
  ],
  frames: [
    [/› bytes$/, "exact"],
    [/./, "timing"],
  ],
  gradient: [
    [/^Seconds of a step|^goals › (?:calibration|mask from)/, "timing"],
    [/^main › .* › measured$/, "unheld"],
    [/./, "exact"],
  ],
  "gradient-train": [
    // Which steps a fault hits is chance
    [/./, "timing"],
  ],
  history: [
    [/^Bytes of the store|^goals › store bytes/, "near"],
    [/./, "timing"],
  ],
  jobs: [
    [/^Poisonous|^goals › (?:poison|workers that live|of these hit)/, "exact"],
    // There are runs until so many were hit: how many is chance, that each ended once is not
    [/^goals › jobs that ended.* › verdict$/, "exact"],
    [/./, "timing"],
  ],
  latency: [
    [/› frames$/, "exact"],
    [/./, "timing"],
  ],
  lm: [
    [/^goals › .*(?:validation loss|bits per byte|whole validation part|of the same seed|thread counts)/, "exact"],
    [/^goals › .*Python's time|PyTorch's time/, "timing"],
    [
      /^(?:Training steps|Products|Memory of|A training step)|› (?:Python \/ ours|PyTorch's \(2\)|PyTorch \/ ours)$/,
      "timing",
    ],
    [/PyTorch|apart$/, "near"],
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
    [/lost|missing|› kills/, "exact"],
    [/./, "timing"],
  ],
  size: [[/./, "exact"]],
  speed: [
    [/› (?:channels|bits)$/, "exact"],
    [/./, "timing"],
  ],
  trajectory: [
    [
      /› (?:vs ASCII|vs float32|vs float32, .*|max error \/ eps|rms \/ eps|ours \/ MDZ|every \d+: text|float32(?: \(\d\))?)$/,
      "exact",
    ],
    [/^The core alone|to disk/, "timing"],
  ],
  "update-power": [[/boots that spoke/, "near"]],
  "update-refusals": [[/› (?:boots|rows confirmed)$/, "near"]],
  "vector-index": [
    [/^goals › (?:queries\/s|processor time|peak memory)/, "timing"],
    [/^Speed at .*› (?:lists or ef|queries\/s|build s|peak MB)$/, "timing"],
    [/^Training, changes.*› training by WGSL/, "timing"],
  ],
  wire: [
    // Its acknowledgements come by age, and decide which frames say more than their samples
    [/as the node ships/, "near"],
    [/payload|largest error|RMS error|samples in the reopened|LoRaWAN|› frame x$/, "exact"],
    [/./, "near"],
  ],
};

/**
 * How steady a cell is.
 *
 * @param page  its name, such as `codec`
 * @param place  `table › row › column`; whether a goal is met is its column `verdict`
 * @param text  what stands there, for a verdict the figure: the unit of a goal counts, too
 */
export function steadinessOf(page: string, place: string, text: string): Steadiness {
  const rule = [...EVERYWHERE, ...(PAGES[page] ?? [])].find(([pattern]) => pattern.test(place));
  if (rule !== undefined) return rule[1];
  const [table = "", row = "", column = ""] = place.split(" › ");
  const isTimed = table === "goals" ? TIMED.test(row) || TIMED_UNIT.test(text) : TIMED.test(column);
  return isTimed ? "timing" : "exact";
}

/**
 * Whether two values are as near to each other as they are to be.
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
