import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadCore } from "@lockstep/edge-sdk/core";
import { wasmCommands } from "../../scripts/bootstrap/build-wasm.js";
import type { BenchReport, BenchTable } from "./bench.ts";
import { BenchError } from "./bench-error.ts";
import { MODULE_AIM, MODULE_LIMIT, STATE_AIM, STATE_LIMIT } from "./size-goals.ts";
import { type WasmAnatomy, wasmAnatomy } from "./wasm-anatomy.ts";

const GOAL_CHANNELS = 6;
/** What a source file is for; files that are not named here are the codec's. */
const LINK_FILES: readonly RegExp[] = [/^link/, /^ring$/, /^cbor$/, /^envelope$/];
const SHARED_FILES: readonly RegExp[] = [/^hash$/, /^device$/, /^~lib/];

/** Memory of a device by channel count, and what `device.wasm` is made of. */
export async function benchSize(): Promise<BenchReport> {
  const bytes = readFileSync(fileURLToPath(import.meta.resolve("@lockstep/edge-sdk/device.wasm")));
  const core = loadCore(bytes);
  const shipped = wasmAnatomy(bytes);
  const named = wasmAnatomy(buildNamed());
  const isSame = codeBytes(named) === codeBytes(shipped);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  const ownBytes = (exports.stateAddress as () => number)();
  const channels = Array.from({ length: core.maxChannels }, (_, i) => i + 1);
  const most = channels.filter((count) => core.stateBytes(count) < STATE_LIMIT).length;
  return {
    title: "Size of the device's part",
    goals: [
      {
        what: `codec state at ${GOAL_CHANNELS} channels`,
        measured: core.stateBytes(GOAL_CHANNELS),
        unit: "B",
        must: { below: STATE_LIMIT },
        aim: STATE_AIM,
      },
      {
        what: "device.wasm: encoder, decoder and link",
        measured: bytes.length,
        unit: "B",
        must: { atMost: MODULE_LIMIT },
        aim: MODULE_AIM,
      },
    ],
    columns: ["channels", "state, B", "of 2,048 B"],
    rows: channels.map((count) => [
      count,
      core.stateBytes(count),
      `${Math.round((100 * core.stateBytes(count)) / STATE_LIMIT)} %`,
    ]),
    more: [
      {
        title: "Sections of device.wasm",
        columns: ["section", "bytes"],
        rows: shipped.sections.map(({ name, bytes: size }) => [name, size]),
      },
      partsTable(named),
      filesTable(named),
    ],
    notes: [
      `State: what one device's encoder or decoder needs in all, range coder of the frame in hand included. ${most} channels are the most that stay below 2 KB: more own levels are kept up to three channels, and every channel adds its own block.`,
      `Beside the state the module keeps ${ownBytes} B below it in its memory (constants, configuration of 16 channels, the link's working values), and the host gives it the ring.`,
      `Code by source file is read off a build of the same sources with names${isSame ? ", whose code section has the same size" : `; its code section has ${codeBytes(named)} B instead of ${codeBytes(shipped)} B`}. A function that the compiler inlined counts where it went.`,
      "The module's limit was raised from 14,336 to 16,384 B for line mode: its decoder and the mixed model are in every module. Firmware that only encodes drops the decoder.",
      "It was raised to 17,152 B because firmware is what counts on a device: a row encoder apart from the decoder, quotients by 32-bit divisions and predictors in plain loops take more bytes of WebAssembly, and less flash and far fewer instructions on a microcontroller.",
      "And to 18,176 B for histories of 32 bits, which smooth signals at fine bounds need: 900 B, a loop for each width of entry above all.",
      "Firmware drops what it does not call, the decoder above all: its figures are the firmware benchmark's.",
    ],
  };
}

function codeBytes({ sections }: WasmAnatomy): number {
  return sections.find(({ name }) => name === "code")?.bytes ?? 0;
}

/** The device target with a name section, built into a folder that is removed again. */
function buildNamed(): Uint8Array {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), "lockstep-size-"));
  try {
    const out = join(folder, "device.wasm");
    for (const args of wasmCommands(root, "edge-sdk", "device", out, { keepNames: true })) {
      const built = spawnSync(process.execPath, args, { cwd: join(root, "edge-sdk"), encoding: "utf8" });
      if (built.status !== 0) throw new BenchError("no-answer", { command: args[0] ?? "", said: built.stderr });
    }
    return readFileSync(out);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** `assembly/ring/recordAt` is in the file `ring`. */
function fileOf(name: string): string {
  return name.startsWith("~lib") ? "~lib" : (name.split("/")[1] ?? name);
}

function partOf(file: string): string {
  if (LINK_FILES.some((pattern) => pattern.test(file))) return "link: frames, ring, acknowledgements";
  return SHARED_FILES.some((pattern) => pattern.test(file))
    ? "shared: hash, entry points"
    : "codec: encoder, decoder, keyframes";
}

function partsTable(named: WasmAnatomy): BenchTable {
  const totals = totalsBy(named, (name) => partOf(fileOf(name)));
  const exported = named.sections.find(({ name }) => name === "export")?.bytes ?? 0;
  const rest = named.sections.filter(({ name }) => !["code", "export"].includes(name) && !name.startsWith("custom"));
  return {
    title: "Parts of device.wasm",
    columns: ["part", "bytes"],
    rows: [
      ...totals,
      ["names of exports", exported],
      ["types, globals, data, lengths", rest.reduce((sum, { bytes }) => sum + bytes, 0)],
    ],
  };
}

function filesTable(named: WasmAnatomy): BenchTable {
  return { title: "Code by source file", columns: ["file", "bytes"], rows: totalsBy(named, fileOf) };
}

/** Bytes of functions by what `keyOf` makes of their names, the largest first. */
function totalsBy({ functions }: WasmAnatomy, keyOf: (name: string) => string): [string, number][] {
  const totals = new Map<string, number>();
  for (const { name, bytes } of functions) totals.set(keyOf(name), (totals.get(keyOf(name)) ?? 0) + bytes);
  return [...totals].sort(([, a], [, b]) => b - a);
}
