import type { FrameErrorCode } from "../src/index.ts";

/** Golden frames about jobs with a mistake; `refused-cases.ts` takes them in. */

const ZEROS = "00".repeat(32);

/** A run of bytes of a golden frame about a job replaced, and why the result is refused. */
export interface RefusedJobCase {
  readonly name: string;
  readonly about: string;
  /** The golden frame. */
  readonly of: string;
  readonly code: FrameErrorCode;
  /** Hexadecimal, there once. */
  readonly from: string;
  readonly to: string;
}

const BLOB = "83 67 696d752e637376 5820";

/** Golden frames about jobs gone wrong; their seals do not fit either, which is found last. */
export const REFUSED_JOB_CASES: readonly RefusedJobCase[] = [
  refused("job-op-3", "beyond the last op", "job-cancel", "out-of-range", "1a12345678 01", "1a12345678 03"),
  refused("job-of-4", "too few elements for any op", "job-cancel", "unknown-kind", "85 181c", "84 181c"),
  refused("job-cancel-of-6", "an element too many", "job-cancel", "wrong-shape", "85 181c", "86 181c"),
  refused("job-submit-of-8", "an element too few", "job-submit", "wrong-shape", "89 181c", "88 181c"),
  refused("job-submit-of-cancel", "the op of fewer elements", "job-submit", "wrong-shape", "78 00 69", "78 01 69"),
  refused("job-id-of-31", "too short for a SHA-256", "job-cancel", "out-of-range", "01 5820 00", "01 581f"),
  refused("job-id-text", "a text", "job-cancel", "wrong-shape", "01 5820 00", "01 7820 00"),
  refused("job-workload-empty", "no workload", "job-submit-least", "out-of-range", "00 6161", "00 60"),
  refused(
    "job-workload-of-65",
    "too long",
    "job-submit-largest",
    "out-of-range",
    `7840${"77".repeat(64)}`,
    `7841${"77".repeat(65)}`,
  ),
  refused("job-workload-control", "U+000A", "job-submit-least", "out-of-range", "00 6161", "00 610a"),
  refused("job-params-of-1", "no object is so short", "job-submit-least", "out-of-range", "42 7b7d", "41 7b"),
  refused("job-params-of-32769", "one byte too many", "job-submit-largest", "out-of-range", "598000", "598001"),
  refused("job-params-text", "a text", "job-submit-least", "wrong-shape", "42 7b7d", "62 7b7d"),
  refused("job-inputs-sixty-five", "one too many", "job-submit-largest", "out-of-range", "7d 9840", "7d 9841"),
  refused(
    "job-inputs-of-2-to-the-32",
    "not there",
    "job-submit-least",
    "out-of-range",
    "7d 80",
    "7d 9b0000000100000000",
  ),
  refused("job-input-of-2", "an element is missing", "job-submit", "wrong-shape", BLOB, BLOB.replace("83", "82")),
  refused("job-input-name-empty", "no name", "job-submit", "out-of-range", BLOB, "83 60 5820"),
  refused("job-input-sha-of-31", "too short", "job-submit", "out-of-range", `${BLOB} 00`, "83 67 696d752e637376 581f"),
  refused(
    "job-input-bytes-2-to-the-53",
    "beyond u53",
    "job-submit",
    "out-of-range",
    "1a00011170",
    "1b0020000000000000",
  ),
  refused(
    "job-input-name-twice",
    "which one?",
    "job-submit",
    "out-of-range",
    `81 ${BLOB}`,
    `82 83 67 696d752e637376 5820 ${ZEROS} 00 ${BLOB}`,
  ),
  refused("job-salt-of-65", "too long", "job-submit-largest", "out-of-range", "7840 7373", "7841 7373"),
  refused("job-attempts-101", "one too many", "job-submit-largest", "out-of-range", "73 1864", "73 1865"),

  refused("result-op-5", "beyond the last op", "result-cancelled-shortest", "out-of-range", "1d 00 04", "1d 00 05"),
  refused("result-of-4", "too few elements", "result-cancelled-shortest", "unknown-kind", "85 181d", "84 181d"),
  refused("result-accepted-of-8", "one too many", "result-accepted", "wrong-shape", "87 181d", "88 181d"),
  refused("result-new-2", "neither 0 nor 1", "result-accepted", "out-of-range", "1f 01 00", "1f 02 00"),
  refused("result-state-6", "no such state", "result-accepted", "out-of-range", "1f 01 00", "1f 01 06"),
  refused("result-fraction-10001", "more than all", "result-progress-largest", "out-of-range", "192710", "192711"),
  refused(
    "result-fraction-65534",
    "between all and unknown",
    "result-progress-unknown",
    "out-of-range",
    "ffff",
    "fffe",
  ),
  refused("result-fraction-65536", "beyond u16", "result-progress-unknown", "out-of-range", "19ffff", "1a00010000"),
  refused("result-note-of-201", "too long", "result-progress-largest", "out-of-range", "78c8", "78c9"),
  refused("result-note-control", "U+001B", "result-progress", "out-of-range", "626c6f636b", "1b6c6f636b"),
  refused("result-attempts-101", "one too many", "result-progress-largest", "out-of-range", "2e 1864", "2e 1865"),
  refused("result-value-of-1", "no object", "result-done", "out-of-range", "4d 7b22", "41 7b22"),
  refused("result-value-of-32769", "one byte too many", "result-done-largest", "out-of-range", "598000", "598001"),
  refused("result-outputs-sixty-five", "one too many", "result-done-largest", "out-of-range", "7d 9840", "7d 9841"),
  refused("result-code-empty", "no code", "result-failed-not-now", "out-of-range", "6a 71756575652d61776179", "60"),
  refused(
    "result-code-of-33",
    "too long",
    "result-failed-largest",
    "out-of-range",
    `7820${"63".repeat(32)}`,
    `7821${"63".repeat(33)}`,
  ),
  refused("result-message-of-501", "too long", "result-failed-largest", "out-of-range", "7901f4", "7901f5"),
  refused(
    "result-message-surrogate",
    "half of a pair",
    "result-failed-not-now",
    "out-of-range",
    "79 60",
    "79 63eda080",
  ),

  refused("exchange-of-7", "an element is missing", "exchange", "wrong-shape", "88 181e", "87 181e"),
  refused("exchange-job-of-7", "too short", "exchange-shortest", "out-of-range", "48 00", "47"),
  refused("exchange-from-65536", "beyond u16", "exchange-largest", "out-of-range", "ff 19ffff", "ff 1a00010000"),
  refused("exchange-last-2", "neither 0 nor 1", "exchange", "out-of-range", "00 44 01020304", "02 44 01020304"),
  refused("exchange-payload-of-61441", "one byte too many", "exchange-largest", "out-of-range", "59f000", "59f001"),
];

function refused(
  name: string,
  about: string,
  of: string,
  code: FrameErrorCode,
  from: string,
  to: string,
): RefusedJobCase {
  return { name, about, of, code, from, to };
}
