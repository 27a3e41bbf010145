import type { SeededRandom } from "../seeded-random.ts";
import { imuRecordingPath, recordedSignal } from "./recorded.ts";
import { REFERENCE_ROTOR, rotorSignal } from "./rotor.ts";
import { rotorTwinSignal } from "./rotor-twin.ts";
import { type Signal, SignalError } from "./signal.ts";
import {
  burstsSignal,
  DEFAULT_WAVEFORM,
  sineSignal,
  stepsSignal,
  type WaveformOptions,
  walkSignal,
} from "./waveforms.ts";

/** A signal by name with its parameters, as a scenario file or a command line gives it. */
export interface SignalSpec {
  readonly name: string;
  readonly omega?: number | undefined;
  readonly jitter?: number | undefined;
  readonly rateHz?: number | undefined;
  readonly sigma?: number | undefined;
  readonly channels?: number | undefined;
  readonly amplitude?: number | undefined;
  readonly everyS?: number | undefined;
  /** Of a recording; the word `imu` stands for the one that comes with the package. */
  readonly file?: string | undefined;
}

type Create = (spec: SignalSpec, random: SeededRandom) => Signal;

const SIGNALS: Readonly<Record<string, Create>> = {
  rotor: (spec, random) => rotorSignal({ ...REFERENCE_ROTOR, ...given(spec) }, random),
  "rotor-twin": ({ rateHz }) => rotorTwinSignal(rateHz),
  sine: (spec, random) => sineSignal(waveformOptions(spec), random),
  walk: (spec, random) => walkSignal(waveformOptions(spec), random),
  steps: (spec, random) => stepsSignal(waveformOptions(spec), random),
  bursts: (spec, random) => burstsSignal(waveformOptions(spec), random),
  recorded: ({ file = "imu", rateHz }) =>
    recordedSignal(file === "imu" ? imuRecordingPath() : file, { rateHz, isLooping: true }),
};

/** Names that `createSignal` knows. */
export const SIGNAL_NAMES: readonly string[] = Object.keys(SIGNALS);

/**
 * Make a signal by name.
 *
 * @param random  its own; the same seed gives the same signal
 * @throws {SignalError} `unknown-signal`, `bad-parameter`, and what a bad recording gives
 */
export function createSignal(spec: SignalSpec, random: SeededRandom): Signal {
  const create = Object.hasOwn(SIGNALS, spec.name) ? SIGNALS[spec.name] : undefined;
  if (create === undefined) throw new SignalError("unknown-signal", { name: spec.name, known: SIGNAL_NAMES.join(" ") });
  return create(spec, random);
}

function waveformOptions(spec: SignalSpec): WaveformOptions {
  return { ...DEFAULT_WAVEFORM, ...given(spec) };
}

/** The parameters that were given, without those left undefined. */
function given(spec: SignalSpec): Record<string, number> {
  return Object.fromEntries(Object.entries(spec).filter(([, value]) => typeof value === "number"));
}
