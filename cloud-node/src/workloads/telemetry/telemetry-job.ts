import * as v from "valibot";
import { type EpsSpec, parseEpsSpec } from "./eps-spec.ts";
import { TelemetryError } from "./telemetry-error.ts";

const MS_PER_DAY = 86_400_000;
const US_PER_MS = 1_000;

/** A number, or text as `--eps` takes it: "ax=0.01,*=0.5". */
const boundSchema = v.union(
  [
    v.pipe(v.number(), v.finite(), v.minValue(0)),
    v.pipe(
      v.string(),
      v.check(isBound, ({ input }) => `"${input}" is no bound: write a number ≥ 0, or NAME=NUMBER,*=NUMBER`),
    ),
  ],
  "a bound is a number ≥ 0, or text as NAME=NUMBER,*=NUMBER",
);

const name = v.pipe(v.string(), v.minLength(1));

/** What a job of telemetry takes. */
export const paramsSchema = v.pipe(
  v.strictObject({
    /** Bound in the channels' own units, or as a part of each channel's range: one of the two. */
    eps: v.exactOptional(boundSchema),
    rel: v.exactOptional(boundSchema),
    /** CSV column that says when; null: there is none; left out: looked for by name. */
    time: v.exactOptional(v.nullable(name)),
    /** CSV columns to take; all unless given. */
    columns: v.exactOptional(v.pipe(v.array(name), v.minLength(1))),
    /** Samples per second, where no column says it. */
    rateHz: v.exactOptional(v.pipe(v.number(), v.finite(), v.gtValue(0))),
    lookahead: v.optional(v.picklist(["none", "greedy", "programme"]), "programme"),
    /** The input is a node's store: which device of it, and which day (UTC) of its past; every day unless given. */
    device: v.exactOptional(name),
    day: v.exactOptional(v.pipe(v.string(), v.check(isDay, "write a day as 2026-05-01"))),
  }),
  v.forward(
    v.check(
      ({ eps, rel }) => (eps === undefined) !== (rel === undefined),
      "one of eps and rel says how exact values stay",
    ),
    ["eps"],
  ),
  v.forward(
    v.check(({ day, device }) => day === undefined || device !== undefined, "a day is of a device: give that, too"),
    ["day"],
  ),
);

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const positive = v.pipe(v.number(), v.finite(), v.minValue(0));

/** What a job of telemetry gives, beside the container as its output. */
export const resultSchema = v.strictObject({
  samples: count,
  channels: count,
  blocks: count,
  /** Of the input; as float32, times left out; of the container. */
  inputBytes: count,
  rawBytes: count,
  bytes: count,
  /** rawBytes / bytes. */
  ratio: positive,
  bitsPerSample: positive,
  /** Largest error of a decoded value, as a part of its bound: at most 1. */
  maxErrorOverEps: v.pipe(positive, v.maxValue(1)),
  /** Bound on times in the time column's unit; null without one. */
  timeEps: v.nullable(positive),
  /** SHA-256 of the codec module. */
  model: v.string(),
  lookahead: v.picklist(["none", "greedy", "programme"]),
  /** Device time that the store cannot give any more, µs; 0 for a recording. */
  damagedUs: positive,
});

export type TelemetryParams = v.InferOutput<typeof paramsSchema>;
export type TelemetryResult = v.InferOutput<typeof resultSchema>;

/** The bounds that a job asks for. */
export function epsOf({ eps, rel }: Pick<TelemetryParams, "eps" | "rel">): EpsSpec {
  return eps === undefined ? parseEpsSpec(String(rel), "relative") : parseEpsSpec(String(eps), "absolute");
}

/** Device time of a day, or all of it. */
export function rangeOf({ day }: Pick<TelemetryParams, "day">): { readonly fromUs: number; readonly toUs: number } {
  if (day === undefined) return { fromUs: Number.NEGATIVE_INFINITY, toUs: Number.POSITIVE_INFINITY };
  const fromMs = Date.parse(day);
  return { fromUs: fromMs * US_PER_MS, toUs: (fromMs + MS_PER_DAY) * US_PER_MS };
}

function isBound(text: string): boolean {
  try {
    parseEpsSpec(text, "absolute");
    return true;
  } catch (error) {
    if (!(error instanceof TelemetryError)) throw error;
    return false;
  }
}

function isDay(text: string): boolean {
  const ms = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : Number.NaN;
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}
