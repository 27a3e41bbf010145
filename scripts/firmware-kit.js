/**
 * `npm run firmware-kit`: the release for firmware, which needs no Node. The core as C, the device around it, and what
 * CMake, ESP-IDF, Zephyr and Arduino want to find, in `edge-sdk/build/lockstep-firmware-VERSION` and its `.tar.gz`.
 */
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { runTool } from "./bootstrap/run-tool.js";
import { SetupError } from "./bootstrap/setup-error.js";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const BOARD_SUPPORT = "firmware-examples/board-support";
const KIT = "firmware-examples/kit";
const BOARDS = `${BOARD_SUPPORT}/boards`;
/** A microcontroller's example: its main, and what it takes of the board support. */
const BARE = "examples/cortex-m4";
const BARE_SENSOR = "firmware-examples/cortex-m4-qemu/main.c";
const BARE_DEVICE = ["serial-device.c", "serial-device.h", "serial-updates.h", "device-store.h", "store-none.c"];
const BARE_BOARD = [
  ...[
    "board.h",
    "wall-clock.h",
    "bare-metal.c",
    "bare-metal.h",
    "restart.h",
    "cortex-m.c",
    "cortex-m.h",
    "cmsdk-uart.c",
  ],
  ...["semihosting-clock.c", "mps2.ld", "sections.ld"],
];
/** Parts of the examples that stand on our boards, or replace firmware; everything else in the folder runs on any chip. */
const OF_EXAMPLES =
  /^(serial-device|serial-updates|device-store|store-|boot-record|slots|board-slots|body-test|module-body|image-body|self-test|sealed-link|sha256|update-device|interpreted-core)/;
/** What the flags of a build say where flags can be given; a build of Arduino takes none. */
const NEEDED = `#ifndef NDEBUG
#define NDEBUG
#endif
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-strict-aliasing")
#endif
`;
const TEXTS = ["LICENSE-APACHE", "LICENSE-MIT", "NOTICE"];

/**
 * Make the kit anew.
 *
 * @param {string} parent  the folder to put it in
 * @returns {Promise<{ folder: string, archive: string }>} paths
 * @throws {SetupError} `tool` when a tool fails
 */
export async function makeFirmwareKit(parent) {
  const { version } = JSON.parse(readFileSync(join(ROOT, "edge-sdk/package.json"), "utf8"));
  const name = `lockstep-firmware-${version}`;
  const folder = join(parent, name);
  rmSync(folder, { recursive: true, force: true });
  const sources = join(folder, "src");
  mkdirSync(sources, { recursive: true });
  await writeCore(join(ROOT, "edge-sdk/build/device.wasm"), sources, version);
  copyC(join(ROOT, BOARD_SUPPORT), sources, (file) => !OF_EXAMPLES.test(file));
  cpSync(join(ROOT, BOARD_SUPPORT, "needed.flags"), join(sources, "needed.flags"));
  cpSync(join(ROOT, BOARDS, "receive-ring.h"), join(sources, "receive-ring.h"));
  cpSync(join(ROOT, "edge-sdk/include/edge_core.h"), join(sources, "edge_core.h"));
  cpSync(join(ROOT, BOARD_SUPPORT, "boards/libc"), join(folder, "libc"), { recursive: true });
  cpSync(join(ROOT, BOARD_SUPPORT, "boards/memory.c"), join(folder, "libc/memory.c"));
  cpSync(join(ROOT, KIT), folder, { recursive: true });
  fill(join(folder, "library.properties"), { version });
  const host = join(folder, "examples/linux-host");
  mkdirSync(host, { recursive: true });
  copyC(join(ROOT, "firmware-examples/linux-host"), host);
  copyBareExample(join(folder, BARE));
  for (const text of TEXTS) cpSync(join(ROOT, text), join(folder, text));
  const archive = `${folder}.tar.gz`;
  await run("tar", ["-czf", archive, "-C", parent, name]);
  return { folder, archive };
}

/** `core.c`, `core.h` and `core-id.h`: the module as wasm2c gives it, each under a line that says where it is from. */
async function writeCore(wasmFile, folder, version) {
  const core = join(folder, "core.c");
  await run(process.execPath, [
    join(ROOT, "sim/qemu-wasm-runner/bin/compact-wasm2c.js"),
    wasmFile,
    "-n",
    "core",
    "-o",
    core,
  ]);
  const id = createHash("sha256").update(readFileSync(wasmFile)).digest("hex");
  const bytes = id.replace(/../g, "0x$&, ").trimEnd();
  const banner = `/* Made by \`npm run firmware-kit\` from device.wasm of Lockstep ${version}, SHA-256 ${id}: do not edit. */\n`;
  writeFileSync(core, banner + NEEDED + readFileSync(core, "utf8"));
  writeFileSync(join(folder, "core.h"), banner + readFileSync(join(folder, "core.h"), "utf8"));
  writeFileSync(join(folder, "core-id.h"), `${banner}#define CORE_SHA256 {${bytes}}\n`);
}

/** The Makefile is there already, with the rest of the kit. */
function copyBareExample(folder) {
  mkdirSync(join(folder, "board"), { recursive: true });
  cpSync(join(ROOT, BARE_SENSOR), join(folder, "main.c"));
  for (const name of BARE_DEVICE) cpSync(join(ROOT, BOARD_SUPPORT, name), join(folder, name));
  for (const name of BARE_BOARD) cpSync(join(ROOT, BOARDS, name), join(folder, "board", name));
}

function copyC(from, to, isWanted = () => true) {
  const files = readdirSync(from).filter((file) => /\.[ch]$/.test(file) && isWanted(file));
  for (const file of files) cpSync(join(from, file), join(to, file));
}

function fill(file, { version }) {
  writeFileSync(file, readFileSync(file, "utf8").replaceAll("@VERSION@", version));
}

async function run(command, args) {
  const { ok, output } = await runTool(command, args, { cwd: ROOT });
  if (!ok) throw new SetupError("tool", `${command} failed, as said above`, { output });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  try {
    const { folder, archive } = await makeFirmwareKit(join(ROOT, "edge-sdk/build"));
    process.stdout.write(`${folder}\n${archive}\n`);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`${error.output}firmware-kit: ${error.message}\n`);
    process.exitCode = 1;
  }
}
