import { field, u32 } from "../field.ts";

/** 2 · samples + events, as residual and keyframe carry it. */
export const SPAN = u32("span");

const SAMPLES = field("samples", 0, (SPAN.max - 1) / 2);

/** What a span says. */
export interface Span {
  /** Samples in the payload; 0 stands for the birth's `frameSamples`. 0 … 2³¹−1. */
  readonly samples: number;
  /** Whether the payload codes a status for every channel-sample. */
  readonly hasEvents: boolean;
}

/** The number on the wire; NaN, which no range takes, when `samples` is outside its own. */
export function packSpan({ samples, hasEvents }: Span): number {
  const isInRange = Number.isInteger(samples) && samples >= SAMPLES.min && samples <= SAMPLES.max;
  return isInRange ? 2 * samples + (hasEvents ? 1 : 0) : Number.NaN;
}

/** Mirrors {@link packSpan}. */
export function unpackSpan(span: number): Span {
  return { samples: Math.floor(span / 2), hasEvents: span % 2 === 1 };
}
