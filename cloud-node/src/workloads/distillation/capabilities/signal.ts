import { type ChannelScale, toFixed } from "@lockstep/edge-sdk/core";
import { cosine } from "../../../tensor/exact-functions.ts";
import type { RandomStream } from "../../../tensor/random.ts";
import type { Capability } from "../capability.ts";
import { levelCharacter, SIGNAL_LEVELS } from "../vocabulary.ts";

/** Samples of a window. */
const WINDOW = 24;
/** Steps of an eighth, so that ±4 units are all the levels that have tokens. */
const SCALE: ChannelScale = { offset: -SIGNAL_LEVELS / 2, mantissa: 1, exponent: -3 };
/** Largest random part of a sample, units. */
const NOISE = 0.15;

/** What a sensor may be doing: the value at a time, of an amplitude, a period and a place in the window. */
const KINDS: ReadonlyMap<string, (at: number, size: number, period: number, place: number) => number> = new Map([
  ["steady", () => 0],
  ["drift", (at: number, size: number) => size * (at / WINDOW - 0.5) * 2],
  ["jump", (at: number, size: number, _: number, place: number) => (at < place ? -size / 2 : size / 2)],
  ["spike", (at: number, size: number, _: number, place: number) => (Math.abs(at - place) < 1 ? size + 1 : 0)],
  ["swing", (at: number, size: number, period: number) => size * cosine((2 * Math.PI * at) / period)],
  ["square", (at: number, size: number, period: number) => (at % period < period / 2 ? size : -size)],
]);

/** What kind of signal a window of a sensor's samples shows: every sample is a token. */
export const SIGNAL: Capability = {
  category: "signal",
  title: "what a sensor is doing, from a window of its samples",
  draw(random: RandomStream) {
    const kinds = [...KINDS];
    const [name, valueAt] = kinds[random.nextBelow(kinds.length)] as (typeof kinds)[number];
    const size = 1 + 1.5 * random.nextUniform();
    const period = 6 + random.nextBelow(7);
    const place = 4 + random.nextBelow(WINDOW - 8);
    const shift = random.nextBelow(period);
    const level = random.nextUniform() - 0.5;
    const isFlipped = random.nextBelow(2) === 1;
    const samples = Array.from({ length: WINDOW }, (_, at) => {
      const turned = name === "swing" || name === "square" ? at + shift : at;
      const value = valueAt(turned, size, period, place);
      return level + (isFlipped ? -value : value) + NOISE * (2 * random.nextUniform() - 1);
    });
    return { prompt: samples.map((value) => levelCharacter(levelOf(value))).join(""), answer: name };
  },
};

/** A sample by the codec's own conversion, held within the levels that there are. */
function levelOf(value: number): number {
  return Math.min(SIGNAL_LEVELS - 1, Math.max(0, toFixed(SCALE, value).sample));
}
