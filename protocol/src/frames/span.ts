import type { CborReader } from "../cbor-reader.ts";
import { FrameError } from "../errors.ts";
import { field, u32 } from "../field.ts";

/** 4 · samples + 2 · lines + events, as residual and keyframe carry it. */
export const SPAN = u32("span");

const SAMPLES = field("samples", 0, (SPAN.max - 3) / 4);

/** What a span says. */
export interface Span {
  /** Samples in the payload; 0 stands for the birth's `frameSamples`. 0 … 2³⁰−1. */
  readonly samples: number;
  /** Whether the payload codes a status for every channel-sample. */
  readonly hasEvents: boolean;
  /** Whether channels may lie on lines in the payload; never together with events. */
  readonly hasLines: boolean;
}

/** The number on the wire; NaN, which no range takes, for samples outside their range or events beside lines. */
export function packSpan({ samples, hasEvents, hasLines }: Span): number {
  const isInRange = Number.isInteger(samples) && samples >= SAMPLES.min && samples <= SAMPLES.max;
  return isInRange && !(hasEvents && hasLines) ? 4 * samples + (hasLines ? 2 : 0) + (hasEvents ? 1 : 0) : Number.NaN;
}

/**
 * Mirrors {@link packSpan}.
 *
 * @throws {FrameError} as {@link CborReader.uint}; `out-of-range` for events beside lines
 */
export function readSpan(reader: CborReader): Span {
  const offset = reader.offset;
  const span = reader.uint(SPAN);
  if (span % 4 === 3) throw new FrameError("out-of-range", { offset, field: SPAN.name, have: span });
  return { samples: Math.floor(span / 4), hasEvents: span % 4 === 1, hasLines: span % 4 === 2 };
}
