import { CLOUD_CHANNELS, CLOUD_FRAME_SAMPLES, type FrameTemplate } from "./cloud-template.ts";

/** Digits after the point: the bound is 0.001. */
const DIGITS = 3;
const TIME_BYTES = 8;

/**
 * The samples of a frame as people send them otherwise: rows of numbers as JSON, rounded to the bound, or a time and
 * float32 after float32.
 */
export function plainBody(form: "json" | "float32", template: FrameTemplate, seq: number): Uint8Array {
  const first = seq * CLOUD_FRAME_SAMPLES;
  const timeUs = template.sampleTimeUs(first);
  const rows = Array.from({ length: CLOUD_FRAME_SAMPLES }, (_, i) => [...template.rowOf(first + i)]);
  if (form === "json") {
    const v = rows.map((row) => row.map((value) => Number(value.toFixed(DIGITS))));
    return Buffer.from(JSON.stringify({ seq, t: timeUs, v }));
  }
  const bytes = Buffer.alloc(2 * TIME_BYTES + 4 * CLOUD_CHANNELS * CLOUD_FRAME_SAMPLES);
  bytes.writeDoubleLE(seq, 0);
  bytes.writeDoubleLE(timeUs, TIME_BYTES);
  for (const [i, value] of rows.flat().entries()) bytes.writeFloatLE(value, 2 * TIME_BYTES + 4 * i);
  return bytes;
}

/** The number of a frame that was sent so. */
export function plainSeq(form: "json" | "float32", body: Buffer): number {
  if (form === "json") return (JSON.parse(body.toString()) as { seq: number }).seq;
  return body.readDoubleLE(0);
}
