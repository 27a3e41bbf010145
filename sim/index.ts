/**
 * Simulated devices: signals, faulty links, fleets.
 *
 * @packageDocumentation
 */
export { type SeededRandom, seededRandom } from "./seeded-random.ts";
export { imuRecordingPath, type RecordedOptions, recordedSignal } from "./signals/recorded.ts";
export { REFERENCE_ROTOR, type RotorOptions, rotorSignal } from "./signals/rotor.ts";
export {
  type Signal,
  type SignalChannel,
  SignalError,
  type SignalErrorCode,
  type SignalReader,
} from "./signals/signal.ts";
export { createSignal, SIGNAL_NAMES, type SignalSpec } from "./signals/signal-registry.ts";
export {
  burstsSignal,
  DEFAULT_WAVEFORM,
  sineSignal,
  stepsSignal,
  type WaveformOptions,
  walkSignal,
} from "./signals/waveforms.ts";
