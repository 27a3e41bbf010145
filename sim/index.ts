/**
 * Simulated devices: signals, faulty links, fleets.
 *
 * @packageDocumentation
 */

export { buildFirmware, FIRMWARE_BOARDS, type FirmwareBoard, type FirmwareBuild } from "./firmware/firmware-build.ts";
export type { FirmwarePlan } from "./firmware/firmware-device.ts";
export { FirmwareError, type FirmwareErrorCode } from "./firmware/firmware-error.ts";
export { type EpochAccount, LineAccount } from "./firmware/line-account.ts";
export { type LineNoise, NoiseSource } from "./firmware/line-noise.ts";
export { type DeviceCredentials, type Endpoint, type TransportParts, transportTo } from "./fleet/device-transport.ts";
export {
  createFleet,
  type DevicePlan,
  deviceNames,
  deviceSignal,
  type FleetOptions,
  totalSummary,
} from "./fleet/fleet.ts";
export { checkHistory, type HistoryRow, type HistoryVerdict } from "./fleet/history-check.ts";
export { type Pace, paceByConfirmation, paceInRealTime } from "./fleet/pacing.ts";
export { SampleLedger } from "./fleet/sample-ledger.ts";
export { SampleRanges } from "./fleet/sample-ranges.ts";
export {
  type DeviceSummary,
  type DeviceUpdates,
  type EpsRule,
  SimulatedDevice,
  type SimulatedDeviceOptions,
} from "./fleet/simulated-device.ts";
export { ByteStreamProxy, type StreamProxyOptions } from "./links/byte-stream-proxy.ts";
export { type FaultyTransportOptions, faultyTransport, type LinkTally } from "./links/faulty-transport.ts";
export {
  type Cut,
  chain,
  corruption,
  cut,
  type Delivery,
  delay,
  duplication,
  type LinkFault,
  type LinkFaults,
  linkFault,
  loss,
  PERFECT,
  reordering,
  truncation,
} from "./links/link-fault.ts";
export { ManualClock } from "./manual-clock.ts";
export {
  runScenario,
  type ScenarioNode,
  type ScenarioReport,
  type ScenarioSurroundings,
  type StoredDevice,
} from "./scenarios/run-scenario.ts";
export {
  type Scenario,
  type ScenarioDevice,
  ScenarioError,
  type ScenarioErrorCode,
  type ScenarioEvent,
  type ScenarioExpectation,
  type ScenarioFirmware,
  type ScenarioLink,
  type SignalDevice,
} from "./scenarios/scenario.ts";
export type { DeviceOutcome, ScenarioCheck } from "./scenarios/scenario-checks.ts";
export { loadScenario, parseScenario, scenarioNames } from "./scenarios/scenario-file.ts";
export { type SeededRandom, seededRandom } from "./seeded-random.ts";
export { imuRecordingPath, type RecordedOptions, recordedSignal } from "./signals/recorded.ts";
export { REFERENCE_ROTOR, type RotorOptions, rotorSignal } from "./signals/rotor.ts";
export { rotorTwinSignal } from "./signals/rotor-twin.ts";
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
