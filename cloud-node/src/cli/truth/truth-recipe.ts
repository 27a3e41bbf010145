import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { deviceSignal, SignalError, type SignalSpec, seededRandom } from "@lockstep/sim";
import * as v from "valibot";
import { CommandError } from "../command-error.ts";
import type { TruthOrigin } from "./live-truth.ts";

const FORMAT = "lockstep test truth 1";
const SUFFIX = ".truth.json";
/** A recipe is a few lines; whatever is longer is something else. */
const MOST_BYTES = 65_536;
/** More channels than a birth has. */
const MOST_CHANNELS = 256;

const number = v.optional(v.pipe(v.number(), v.finite()));
const recipeSchema = v.object({
  format: v.literal(FORMAT),
  device: v.string(),
  seed: v.pipe(v.number(), v.safeInteger()),
  startUs: v.pipe(v.number(), v.safeInteger()),
  eps: v.pipe(v.array(v.pipe(v.number(), v.minValue(0))), v.minLength(1), v.maxLength(MOST_CHANNELS)),
  signal: v.object({
    name: v.string(),
    ...{ omega: number, jitter: number, rateHz: number, sigma: number, channels: number, amplitude: number },
    everyS: number,
    file: v.optional(v.string()),
  }),
});

/** What a simulated device is made of. */
export interface TruthRecipe {
  readonly device: string;
  readonly seed: number;
  /** Device time of sample 0, µs. */
  readonly startUs: number;
  /** Bound per channel, in its unit. */
  readonly eps: readonly number[];
  readonly signal: SignalSpec;
}

/** Say what a device is made of, in place of what an earlier run said. @param folder  there already */
export function writeTruthRecipe(folder: string, { device, seed, startUs, eps, signal }: TruthRecipe): void {
  // Whoever reads it may have been started elsewhere.
  const file = signal.file === undefined || signal.file === "imu" ? signal.file : resolve(signal.file);
  const recipe = { format: FORMAT, device, seed, startUs, eps, signal: { ...signal, file } };
  writeFileSync(join(folder, device + SUFFIX), `${JSON.stringify(recipe, undefined, 2)}\n`);
}

/**
 * What a device is made of.
 *
 * @param device  a name as topics carry it
 * @returns undefined when the folder does not say
 * @throws {CommandError} `file` when what it says is no recipe of this device
 */
export function readTruthRecipe(folder: string, device: string): TruthOrigin | undefined {
  const file = join(folder, device + SUFFIX);
  const size = statSync(file, { throwIfNoEntry: false })?.size;
  if (size === undefined) return undefined;
  const unfit = (why: string, cause?: unknown) =>
    new CommandError(
      "file",
      `${file} does not say what ${device} is made of: ${why}`,
      "write it anew with lockstep sim",
      {
        cause,
      },
    );
  if (size > MOST_BYTES) throw unfit(`it has ${size} bytes, and ${MOST_BYTES} is the most`);
  try {
    const recipe = v.parse(recipeSchema, JSON.parse(readFileSync(file, "utf8")));
    if (recipe.device !== device) throw unfit(`it is of ${recipe.device}`);
    const signal = deviceSignal(recipe.signal, device, seededRandom(recipe.seed));
    if (signal.channels.length !== recipe.eps.length)
      throw unfit(`${recipe.eps.length} bounds for ${signal.channels.length} channels`);
    return { signal, eps: recipe.eps, startUs: recipe.startUs };
  } catch (cause) {
    if (cause instanceof CommandError) throw cause;
    if (cause instanceof v.ValiError || cause instanceof SyntaxError || cause instanceof SignalError)
      throw unfit(cause.message, cause);
    throw unfit("it cannot be read", cause);
  }
}
