import { cycleTableOf, RunnerError } from "qemu-wasm-runner";
import type { BenchReport } from "./bench.ts";
import { BenchError } from "./bench-error.ts";
import {
  CRYPTO_NOTE,
  CRYPTO_PLANS,
  type CryptoFigures,
  cryptoGoals,
  cryptoTable,
  measureCrypto,
} from "./firmware-crypto.ts";
import { flashableGoals, flashableJson, flashableTable, measureFlashable } from "./firmware-flashable.ts";
import { firmwareGoals } from "./firmware-goals.ts";
import { heatshrinkNote, heatshrinkTable, measureHeatshrinks, producedTable } from "./firmware-heatshrink.ts";
import {
  interpreterGoals,
  interpreterJson,
  interpreterTable,
  liteGoals,
  liteJson,
  liteTable,
  measureInterpreter,
  measureLite,
} from "./firmware-interpreter.ts";
import { MAC_NOTE, MAC_PLANS, type MacFigures, macTable, measureMac } from "./firmware-mac.ts";
import { type FirmwarePlan, type FirmwareSubject, firmwarePlans, goalPlan, modeOf } from "./firmware-plan.ts";
import { boundWorstSample, buildFirmware, type FirmwareFigures, measureFirmware, SIGNAL_ROWS } from "./firmware-run.ts";
import { boardJson, boardTable, type MeasuredFirmware, ramTable, signalTable } from "./firmware-tables.ts";

const HEATSHRINK =
  "heatshrink: the C of npm's package heatshrink 1.0.0 (ISC), window 8, lookahead 4, without a heap, in place of the codec in the same program and on the same samples, each given as its 24 bytes; the bytes are those of a writer of its format, which a test holds against the C (`test/bench/peers/heatshrink-firmware.test.ts`).";

/**
 * The codec, and a whole device, as firmware on every emulated core: flash, RAM, instructions and a bound of cycles.
 *
 * @throws {BenchError} `no-compiler` for a missing compiler or QEMU, `no-answer` when a firmware does not end well
 */
export async function benchFirmware(): Promise<BenchReport> {
  const measured: MeasuredFirmware[] = [];
  for (const plan of firmwarePlans()) measured.push(await measure(plan));
  const interpreted = await measureInterpreter();
  const lite = await measureLite();
  process.stderr.write("firmware: a device whose firmware can be replaced\n");
  const flashable = await measureFlashable();
  const goalOf = (subject: FirmwareSubject) => {
    const wanted = JSON.stringify(goalPlan(subject));
    const found = measured.find(({ figures }) => JSON.stringify(figures.plan) === wanted);
    if (found === undefined) throw new BenchError("unknown-name", { plan: wanted });
    return found;
  };
  process.stderr.write("firmware: Cortex-M4, heatshrink\n");
  const heatshrinks = await measureHeatshrinks();
  const cryptos: CryptoFigures[] = [];
  for (const plan of CRYPTO_PLANS) cryptos.push(await measureCrypto(plan));
  const macs: MacFigures[] = [];
  for (const plan of MAC_PLANS) macs.push(await measureMac(plan));
  const codec = goalOf("codec");
  const link = goalOf("link");
  const figures = measured.map((one) => one.figures);
  return {
    title: "Firmware",
    goals: [
      ...firmwareGoals(codec, link, heatshrinks),
      ...interpreterGoals(interpreted),
      ...liteGoals(lite),
      ...flashableGoals(flashable),
      ...cryptoGoals(cryptos),
    ],
    ...boardTable(measured),
    more: [
      signalTable(figures.filter((one) => modeOf(one.plan) === modeOf(goalPlan(one.plan.subject)))),
      ramTable([codec.figures, link.figures]),
      interpreterTable(interpreted, codec.figures),
      liteTable(lite),
      flashableTable(flashable),
      cryptoTable(cryptos),
      macTable(macs),
      heatshrinkTable(codec.figures, modeOf(codec.figures.plan), heatshrinks),
      producedTable(SIGNAL_ROWS),
    ],
    notes: [
      ...notes(measured),
      betweenNote(link.figures),
      heatshrinkNote(codec.figures, heatshrinks),
      HEATSHRINK,
      CRYPTO_NOTE,
      MAC_NOTE,
    ],
    json: {
      boards: measured.map(boardJson),
      interp: interpreted.map(interpreterJson),
      lite: lite.map(liteJson),
      flashable: flashable.map(flashableJson),
      crypto: cryptos,
      mac: macs,
    },
  };
}

/** @throws {BenchError} `no-compiler` with the line that installs what is missing, `no-answer` */
async function measure(plan: FirmwarePlan): Promise<MeasuredFirmware> {
  process.stderr.write(`firmware: ${plan.core}, ${modeOf(plan)}\n`);
  try {
    const firmware = await buildFirmware(plan);
    const figures = await measureFirmware(plan, firmware);
    return { figures, worst: await boundWorstSample(figures, firmware) };
  } catch (error) {
    if (!(error instanceof RunnerError) || error.code !== "missing-tool") throw error;
    throw new BenchError("no-compiler", error.facts);
  }
}

/** What leaves the sample's own time by being sent and heard between two of them. */
function betweenNote({ signals, instructionsMax }: FirmwareFigures): string {
  const rowMax = Math.max(...signals.map(({ rows }) => rows.max));
  const times = (instructionsMax / rowMax).toFixed(2);
  return `In the time of a sample itself serial-device.c takes only the row, at most ${rowMax.toLocaleString("en")} instructions in the build of the goals: messages are composed, framed and written, and answers heard, in the rest before the next sample. All due at a sample, ${instructionsMax.toLocaleString("en")} at most, is ${times} times that; the goals are about it.`;
}

function notes(measured: readonly MeasuredFirmware[]): string[] {
  const cores = new Map(measured.map(({ figures }) => [figures.plan.core, figures.plan.board]));
  const tables = [...cores].map(([core, board]) => `${core}: ${cycleTableOf(board)?.source ?? "none"}`);
  return [
    `Input: three generated signals of six int32 channels, ${SIGNAL_ROWS.toLocaleString("en")} samples each, \`test/conformance/three-signals.h\`: a rotor with noise, random walks (one lossless, one on a lattice), and rest with bursts, jumps to both ends of int32 and saturation. Frames of 100 samples, statuses in every fourth. The bursts, on six channels at once, are there to find the worst sample.`,
    "Nothing here ran on silicon. Instruction counts are exact, on QEMU, and the same on every machine: SysTick under `-icount`, or minstret. Cycles are a bound: the sample with the most instructions is traced, and each instruction costs the most that a table gives it. Wait states of flash are not modelled: without a cache multiply by 1 + wait states. Another sample, of fewer instructions, may cost a few cycles more.",
    `Tables of cycles, \`sim/qemu-wasm-runner/src/cycle-table.ts\`. ${tables.join(". ")}.`,
    "All due at a sample: the row, the frame's begin and end where it has one; with the link also the frame's envelope, its message on the serial line (COBS and CRC-16) and the acknowledgement heard. The counts of the trace and of the counter agree to a few instructions for each call of the counter.",
    'Flash: the module as C, wasm-rt.c, with the link device.c and serial-framing.c too, and what they need of memcpy and libgcc. Not: start-up, UART, the program that measures. The decoder is not in it. Nor is what six channels on a serial line never ask for, and the build fixes (docs/design.md, "The core on a chip"): decoding, messages of a limited length (an MTU), the expert of devices with up to five channels. Both widths of histories are in it, which these signals need.',
    "RAM: without the ring, and without the payload's buffer of the codec alone. Below the state: the core's globals, in the place of its tables, which stay in flash (in a checked build the tables, and globals apart), its working values, the configuration of 16 channels; where that of channels would be that the device has not, it keeps the birth and the head of a message sent (64 B), and a message heard (87 B) lies in the working values. Scratch: one row of samples and statuses, with the link the device's name. A payload leaves from the ring, so that messages take no buffer; frames are bounded as by one of 896 B. The stack is the most that was in use, with the frames of the program that measures.",
    "Checked: each access of the core to its memory is compared with the memory's end. Unchecked: none is; the core takes its addresses from its own layout and from lengths that it has tested, which is tested with damaged messages (`test/faults/mutations.test.ts`), and not proven. The build of the goals is unchecked.",
  ];
}
