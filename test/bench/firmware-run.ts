import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { encodeFrame } from "@lockstep/protocol";
import { build, cycleBoundOfRun, type Firmware, type OwnProgram, type RunOptions, run } from "qemu-wasm-runner";
import { BOARD_SUPPORT, CACHE_FOLDER, STRICT } from "../conformance/c-host-build.ts";
import { DEVICE_WASM } from "../conformance/raw-device.ts";
import { BenchError } from "./bench-error.ts";
import { type FirmwarePlan, type FirmwareSubject, modeOf } from "./firmware-plan.ts";

/** Instructions of one kind of work in one signal. */
export interface InstructionTally {
  readonly count: number;
  readonly mean: number;
  readonly max: number;
  /** Place of the first of the largest, counted from 0. */
  readonly maxAt: number;
}

/** What one signal took. */
export interface SignalFigures {
  readonly signal: string;
  /** All that falls due at a sample: the row, a frame's begin and end, and with the link its messages. */
  readonly samples: InstructionTally;
  /** The row alone: with the link, of samples that end no frame too. */
  readonly rows: InstructionTally;
  /** Payloads, or bytes on the serial line. */
  readonly producedBytes: number;
}

/** Memory by what it is for, bytes. */
export interface FirmwareRam {
  readonly state: number;
  /** Below the state: the core's constants, configuration and working values. */
  readonly belowState: number;
  /** Samples, statuses and, with the link, the device's name, and the birth where it has no room below the state. */
  readonly scratch: number;
  /** The head of a message being composed, where it has no room below the state; 0 without the link. */
  readonly messages: number;
  /** Globals of the core and of the code around it. */
  readonly globals: number;
  readonly stack: number;
}

/** Everything that was measured of one firmware. */
export interface FirmwareFigures {
  readonly plan: FirmwarePlan;
  /** Without board and measuring program. */
  readonly flashBytes: number;
  readonly ram: FirmwareRam;
  readonly ramBytes: number;
  readonly signals: readonly SignalFigures[];
  readonly instructionsMax: number;
  readonly instructionsMean: number;
}

/** Rows of a signal. */
export const SIGNAL_ROWS = 10_000;
/** Of `firmware-measure.c`. */
const COUNT = 0;
const KEEP = 1;
const RESUME = 2;
/** More than any signal has frames. */
const ACKS = 400;
/** The core's memory, in its instance; what a subject does not need of it is not counted. */
const MEMORY_BYTES = { codec: 8192, link: 13_312 } as const;
/** What six channels on a serial line never ask of the core: to decode, messages of a limited length, a stacked expert. */
const FIXED_GLOBALS = ["decodes", "mtu", "stacked"] as const;
/** Lent to the interpreter for the codec's globals, values and frames: with less it says that its stack is exhausted. */
const INTERPRETER_STACK_BYTES = { full: 808, lite: 1000 } as const;
const LITE_WASM = new URL("../../edge-sdk/build/device-lite.wasm", import.meta.url);
/** Of each signal. */
const CHANNELS = 6;
const NONCE = 7;
const EPOCH = 1;
const TIMEOUT_MS = 300_000;

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Build the firmware of a plan. @param wasm  the module; default the plan's of those built here */
export function buildFirmware(
  plan: FirmwarePlan,
  wasm = readFileSync(plan.isLite ? LITE_WASM : DEVICE_WASM),
): Promise<Firmware> {
  const support = ["device.c", "serial-framing.c"].map((name) => `${BOARD_SUPPORT}/${name}`);
  const supportSources = plan.subject === "link" ? support : [];
  return buildSubject(plan, { sources: [here(`firmware-${plan.subject}.c`)], supportSources }, wasm);
}

/**
 * Build what measures around a subject (`firmware-subject.h`).
 *
 * @param subject  its own sources, and as `supportSources` those whose flash and memory are measured
 */
export function buildSubject(
  plan: FirmwarePlan,
  subject: OwnProgram,
  wasm: Uint8Array = readFileSync(DEVICE_WASM),
): Promise<Firmware> {
  const { board, optimize, checks, isInterpreted, isLite } = plan;
  const around = ["firmware-measure.c", "firmware-tally.c"].map(here);
  const signals = ["three-signals.c", "json-line.c"].map((name) => here(`../conformance/${name}`));
  const headers = [here("."), here("../conformance"), BOARD_SUPPORT, here("../../edge-sdk/include")];
  const program = {
    ...subject,
    sources: [...around, ...subject.sources, ...signals],
    includes: [...headers, ...(subject.includes ?? [])],
    flags: [...STRICT, ...(subject.flags ?? [])],
  };
  const memoryBytes = MEMORY_BYTES[plan.subject];
  return build(wasm, {
    board,
    cacheFolder: CACHE_FOLDER,
    optimize,
    checks,
    memoryBytes,
    memoryPlace: "inside",
    ...(isInterpreted
      ? { mode: "interp", interpreterStackBytes: INTERPRETER_STACK_BYTES[isLite ? "lite" : "full"] }
      : { fixedGlobals: isLite ? [] : FIXED_GLOBALS }),
    program,
  });
}

/**
 * Count a firmware's instructions.
 *
 * @param rows  of each of the signals
 * @throws {BenchError} `no-answer` when the program does not end well
 */
export async function measureFirmware(
  plan: FirmwarePlan,
  firmware: Firmware,
  rows: number = SIGNAL_ROWS,
): Promise<FirmwareFigures> {
  const output = await runProgram(firmware, { input: inputOf(plan.subject, COUNT, rows), counting: true });
  const told = output
    .toString()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, number> & { signal: string });
  const [first] = told;
  const parts = firmware.sizes?.parts;
  if (first === undefined || parts === undefined || parts === null)
    throw new BenchError("no-answer", { board: plan.board, mode: modeOf(plan) });
  const field = (name: string) => first[name] ?? 0;
  const messages = field("messageBytes");
  // The module is asked here: firmware does not need to know
  const stateBytes =
    first.historyShift === undefined ? field("stateBytes") : stateBytesOf(firmware.wasm, first.historyShift);
  const ram = {
    state: stateBytes,
    belowState: field("belowStateBytes"),
    scratch: field("memoryBytes") - field("belowStateBytes") - stateBytes - messages,
    messages,
    globals: field("instanceBytes") + parts.runtime.dataBytes + parts.runtime.zeroedBytes,
    stack: Math.max(...told.map(({ stackBytes = 0 }) => stackBytes)),
  };
  const signals = told.map((line) => signalFigures(line, plan.subject));
  const total = signals.reduce((sum, { samples }) => sum + samples.count * samples.mean, 0);
  return {
    plan,
    flashBytes: [parts.module, parts.runtime].reduce(
      (sum, part) => sum + part.codeBytes + part.constantBytes + part.dataBytes,
      0,
    ),
    ram,
    ramBytes: Object.values(ram).reduce((sum, bytes) => sum + bytes, 0),
    signals,
    instructionsMax: Math.max(...signals.map(({ samples }) => samples.max)),
    instructionsMean: total / signals.reduce((sum, { samples }) => sum + samples.count, 0),
  };
}

/**
 * Bound the cycles of the sample that took the most instructions: the firmware is run up to it, and goes on in a run that
 * is traced.
 *
 * @throws {BenchError} `no-answer` when the program does not end well
 */
export async function boundWorstSample(
  { plan, signals, instructionsMax }: FirmwareFigures,
  firmware: Firmware,
): Promise<{ readonly instructions: number; readonly cycles: number }> {
  const which = signals.findIndex(({ samples }) => samples.max === instructionsMax);
  const row = signals[which]?.samples.maxAt ?? 0;
  const kept = await runProgram(firmware, { input: inputOf(plan.subject, KEEP, which, row) });
  const marks = { begins: ["tally_start", "board_counter"], end: "tally_stop" };
  const input = Buffer.concat([inputOf(plan.subject, RESUME, row), kept]);
  const pieces = await cycleBoundOfRun(firmware, marks, { input, timeoutMs: TIMEOUT_MS });
  return {
    instructions: pieces.reduce((sum, piece) => sum + piece.instructions, 0),
    cycles: pieces.reduce((sum, piece) => sum + piece.cycles, 0),
  };
}

/** State of a device with the signals' channels. @param historyShift  the largest */
function stateBytesOf(wasm: Uint8Array, historyShift: number): number {
  const { stateBytes } = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(wasm))).exports;
  return (stateBytes as (channels: number, historyShift: number) => number)(CHANNELS, historyShift);
}

async function runProgram(firmware: Firmware, options: RunOptions): Promise<Buffer> {
  const { exitCode, trap, output } = await run(firmware, { ...options, timeoutMs: TIMEOUT_MS });
  if (exitCode !== 0) {
    throw new BenchError("no-answer", { board: firmware.board, exitCode: exitCode ?? "none", trap: trap ?? "none" });
  }
  return output;
}

function inputOf(subject: FirmwareSubject, what: number, ...numbers: readonly number[]): Buffer {
  const messages = subject === "link" ? cloudMessages() : [];
  const listed = [u32(messages.length), ...messages.flatMap((message) => [u32(message.length), message])];
  return Buffer.concat([u32(what), ...(subject === "link" ? listed : []), ...numbers.map(u32)]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** What a cloud says that has everything at once. */
function cloudMessages(): Uint8Array[] {
  const to = { nonce: NONCE, epoch: EPOCH } as const;
  const acks = Array.from({ length: ACKS }, (_, i) => encodeFrame({ kind: "ack", ...to, through: i + 1, missing: [] }));
  return [encodeFrame({ kind: "welcome", ...to, through: 0, alias: "", ackAgeMs: 1000, timeUs: 1 }), ...acks];
}

function signalFigures(
  line: Readonly<Record<string, number>> & { readonly signal: string },
  subject: FirmwareSubject,
): SignalFigures {
  const tally = (name: string): InstructionTally => {
    const count = line[`${name}Count`] ?? 0;
    return {
      count,
      mean: (line[`${name}Sum`] ?? 0) / count,
      max: line[`${name}Max`] ?? 0,
      maxAt: line[`${name}MaxAt`] ?? 0,
    };
  };
  return {
    signal: line.signal,
    samples: tally("samples"),
    rows: tally(subject === "codec" ? "rows" : "takes"),
    producedBytes: line.producedBytes ?? 0,
  };
}
