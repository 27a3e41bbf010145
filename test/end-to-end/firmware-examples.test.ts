import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CloudNode, openHistory, SILENT_LOGGER, systemClock } from "@lockstep/cloud-node";
import { SerialLine, systemRandom } from "@lockstep/edge-sdk";
import { type FirmwareBoard, rotorTwinSignal, seededRandom } from "@lockstep/sim";
import type { Firmware } from "qemu-wasm-runner";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeFirmwareKit } from "../../scripts/firmware-kit.js";
import { rowsOf, SIZED_EXAMPLES, tableOf } from "../../scripts/firmware-sizes.js";
import { programPath, requires } from "../os-package.ts";
import { FirmwareLine } from "./firmware-line.ts";
import { copyExample, type MadeExample, madeFirmware, makeExample, readmeOf } from "./firmware-made.ts";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
const FRAMES = 2;
const ROTOR_UNIT = 2 ** -15;
const clock = systemClock();
const scratch = mkdtempSync(join(tmpdir(), "lockstep-firmware-"));

afterAll(() => rmSync(scratch, { recursive: true }));

/** What an example's sensor measures, and within which bound it arrives. */
interface Sensed {
  /** Its name, as its Makefile has it. */
  readonly device: string;
  /** The t-th sample of every channel, in units of the sensor. */
  readonly sense: (t: number) => number[];
  readonly unit: number;
  /** In units of the sensor. */
  readonly e: number;
}

interface Made extends Sensed {
  readonly example: string;
  readonly board: FirmwareBoard;
}

const TRIANGLES = { sense: triangles, unit: 2 ** -10, e: 8 };
/** The t-th sample of rotor-twin, in units; asked for in order, from 0 again for each device. */
const rotor = (() => {
  const measured = new Float64Array(6);
  let reader = rotorTwinSignal().read();
  return (t: number): number[] => {
    if (t === 0) reader = rotorTwinSignal().read();
    reader.next(measured);
    return Array.from(measured, (x) => x / ROTOR_UNIT);
  };
})();

const ROTOR = {
  device: "rotor-twin",
  sense: rotor,
  unit: ROTOR_UNIT,
  e: 32,
};

/** Every example with a Makefile for a board, and the boards that it is made for. */
const MADE: readonly Made[] = [
  { example: "cortex-m4-qemu", board: "mps2-an386", device: "cortex-m4", ...TRIANGLES },
  { example: "riscv32-qemu", board: "riscv32-virt", device: "riscv32", ...TRIANGLES },
  { example: "rotor-twin", board: "mps2-an386", ...ROTOR },
  { example: "rotor-twin", board: "riscv32-virt", ...ROTOR },
];

/** Another gcc makes a little more or less; what is ours is more than that. */
const README_TOLERANCE = 0.02;
/** Of parts of a few bytes. */
const README_BYTES = 16;

function madeSuite({ example, board, device, sense, unit, e }: Made): void {
  describe(`firmware-examples/${example} made for ${board}`, () => {
    let made: MadeExample;
    beforeAll(() => {
      made = makeExample(copyExample(mkdtempSync(join(scratch, "made-")), example), board);
    }, 60_000);

    test("is made with every warning an error, and its parts are the whole of what its sections hold", () => {
      expect(readFileSync(made.file).subarray(1, 4).toString()).toBe("ELF");
      expect([...made.sizes.keys()]).toEqual(["core", "device", "store", "board", "stack"]);
      const parted = [...made.sizes.values()].reduce((sum, { flash }) => sum + flash, 0);
      expect(Math.abs(parted - made.sectionBytes)).toBeLessThan(64);
    });

    test("has no division that is a library's routine, but in the clocks of its board", () => {
      const map = readFileSync(made.file.replace(/\.elf$/, ".map"), "utf8");
      expect(map).toContain("/core.o");
      // The linker names the first object that wants a routine; the core comes first of all.
      const wanted = map.matchAll(/^ +\S*?([\w-]+)\.o \(__\w*(?:div|mod)\w*\)$/gm);
      const divided = new Set([...wanted].map(([, object]) => object));
      expect([...divided]).toEqual(board === "riscv32-virt" ? ["riscv32-virt"] : []);
    });

    test("delivers what its sensor measures, as it was made", async () => {
      await expectDelivery(await madeFirmware(board, made.file), { device, sense, unit, e });
    }, 60_000);

    test("takes what its README says", () => {
      const { boards = [] } = SIZED_EXAMPLES.find(({ folder }) => folder === example) ?? {};
      const place = boards.indexOf(board);
      const said = tableOf(readmeOf(example));
      const found = rowsOf([made.sizes]);
      expect([...said.keys()]).toEqual([...found.keys()]);
      expect(said.size).toBe(5);
      for (const [part, numbers] of found)
        expectNear(said.get(part)?.slice(2 * place, 2 * place + 2) ?? [], numbers, part);
    });
  });
}

/** Run firmware on a line to a cloud node until frames of it are confirmed, and look at every sample that was stored. */
async function expectDelivery(
  firmware: Firmware,
  { device, sense, unit, e }: Sensed,
  frameSamples = 100,
): Promise<void> {
  const storeFile = join(mkdtempSync(join(scratch, "store-")), "node.db");
  const acks = { everyFrames: 1, ageMs: 100 };
  const node = await CloudNode.open({ storeFile, broker: null, acks, logger: SILENT_LOGGER, clock });
  // Without a drive behind it the flash chip of virt holds what it held for as long as QEMU runs.
  const line = new FirmwareLine(firmware, [], seededRandom(1), Number.POSITIVE_INFINITY);
  const end = new SerialLine({ openPort: () => line.open(), clock, random: systemRandom() });
  try {
    node.attachLine("qemu", end);
    await line.until(() => line.starts > 1 || (line.account.epochs.get(1)?.confirmed ?? 0) >= FRAMES);
    expect(line.starts, "the firmware has ended by itself").toBe(1);
  } finally {
    await end.destroy();
    await node.close();
  }
  const history = await openHistory(storeFile);
  try {
    let stored = 0;
    let worst = 0;
    for (const { index, values } of history.samples(device, { epoch: 1 })) {
      expect(index).toBe(stored);
      for (const [c, x] of sense(index).entries()) {
        worst = Math.max(worst, Math.abs((values[c] ?? Number.NaN) / unit - x));
      }
      stored += 1;
    }
    expect(stored).toBeGreaterThanOrEqual(frameSamples * FRAMES);
    expect(worst).toBeLessThanOrEqual(e);
  } finally {
    history.close();
  }
}

function expectNear(said: readonly number[], measured: readonly number[], what: string): void {
  expect(said).toHaveLength(measured.length);
  for (const [place, bytes] of measured.entries()) {
    const off = Math.abs((said[place] ?? Number.NaN) - bytes);
    expect(
      off,
      `${what}: ${said[place]} is said, ${bytes} measured; \`npm run firmware-sizes\` writes them anew`,
    ).toBeLessThanOrEqual(Math.max(README_BYTES, README_TOLERANCE * bytes));
  }
}

requires(
  "make",
  "gcc-arm-none-eabi",
  "qemu-system-arm",
)("on a Cortex-M4", () => {
  for (const made of MADE) if (made.board === "mps2-an386") madeSuite(made);
});
requires(
  "make",
  "gcc-riscv64-unknown-elf",
  "qemu-system-riscv32",
)("on RV32 with flash", () => {
  for (const made of MADE) if (made.board === "riscv32-virt") madeSuite(made);
});

requires(
  "make",
  "gcc-arm-none-eabi",
  "qemu-system-arm",
)("the microcontroller's example of the firmware kit", () => {
  test("is made of the kit alone, where there is no Node, and delivers what its sensor measures", async () => {
    const { archive } = await makeFirmwareKit(mkdtempSync(join(scratch, "kit-")));
    const unpacked = mkdtempSync(join(scratch, "unpacked-"));
    execFileSync("tar", ["-xzf", archive, "-C", unpacked]);
    const at = join(unpacked, readdirSync(unpacked)[0] ?? "", "examples/cortex-m4");
    const tools = mkdtempSync(join(scratch, "tools-"));
    symlinkSync(programPath("make"), join(tools, "make"));
    symlinkSync(programPath("gcc-arm-none-eabi"), join(tools, "arm-none-eabi-gcc"));
    symlinkSync("/bin/mkdir", join(tools, "mkdir"));
    // A name given later than the first program was made counts too.
    for (const name of [[], ["DEVICE_NAME=boiler-1"]]) {
      execFileSync("make", ["-C", at, ...name], { env: { PATH: tools }, stdio: "pipe" });
    }
    const firmware = await madeFirmware("mps2-an386", join(at, "build/cortex-m4.elf"));
    await expectDelivery(firmware, { device: "boiler-1", ...TRIANGLES });
  }, 90_000);
});

requires(
  "make",
  "gcc-arm-none-eabi",
  "qemu-system-arm",
)("the sensor of docs/guides/your-first-device.md", () => {
  test("is made in a copy of cortex-m4-qemu, with every warning an error, and delivers what it measures", async () => {
    const guide = readFileSync(join(REPOSITORY, "docs/guides/your-first-device.md"), "utf8");
    const [, defines = "", table = "", sense = ""] =
      /```c\n((?:#define .*\n)+)(static const device_channel [\s\S]*?\n};\n)\n(static void sense[\s\S]*?\n}\n)```/.exec(
        guide,
      ) ?? [];
    const at = copyExample(mkdtempSync(join(scratch, "made-")), "cortex-m4-qemu");
    const main = readFileSync(join(at, "main.c"), "utf8");
    const mine = main
      .replace(/#define PERIOD_MS .*\n#define CHANNELS .*\n/, () => defines)
      .replace(/static const device_channel [\s\S]*?\n};\n/, () => table)
      .replace(/static void sense[\s\S]*?\n}\n/, () => sense)
      .replace(".frame_samples = 100", ".frame_samples = 20"); // or the test waits for ten seconds a frame
    expect(mine).toContain('"temperature"');
    expect(mine).not.toContain("triangle -");
    writeFileSync(join(at, "main.c"), mine);
    const { file } = makeExample(at, "mps2-an386");
    const thermometer = {
      device: "cortex-m4",
      sense: (t: number) => [20 * 128 + Math.min(t, 3000) + (Math.imul(t, 2_654_435_761) >>> 30)],
      unit: 2 ** -7,
      e: 6,
    };
    await expectDelivery(await madeFirmware("mps2-an386", file), thermometer, 20);
  }, 60_000);

  test("has the numbers that the guide's own rules give", () => {
    const guide = readFileSync(join(REPOSITORY, "docs/guides/your-first-device.md"), "utf8");
    const e = Math.floor(0.05 / 2 ** -7);
    const [units, bins] = [165 * 2 ** 7, (h: number) => (165 * 2 ** 7) / ((2 * e + 1) * 2 ** h)];
    const shift = [...Array(16).keys()].find((h) => bins(h) <= 128) ?? Number.NaN;
    expect(guide).toContain(`{"temperature", "°C", ${e}, 1, ${shift}, 0, 1, -7, ${e}, -7}`);
    expect(guide).toContain(`0.05 / 2⁻⁷ = ${0.05 / 2 ** -7}`);
    expect(guide).toContain(
      `${units.toLocaleString("en")} / (${2 * e + 1} · ${2 ** shift}) = ${Math.floor(bins(shift))}`,
    );
    const mantissa = Math.round(0.01 * 2 ** 37);
    expect(guide).toContain(`mantissa ${mantissa.toLocaleString("en")}, exponent -37`);
  });
});

requires("make", "c-compiler")("firmware-examples/linux-host", () => {
  test.runIf(process.arch === "x64" && process.platform === "linux")(
    "takes what its README says",
    () => {
      const { sizes } = makeExample(copyExample(mkdtempSync(join(scratch, "made-")), "linux-host"), null);
      const found = rowsOf([sizes]);
      const said = tableOf(readmeOf("linux-host"));
      expect(found.size).toBe(2);
      expect([...said.keys()]).toEqual([...found.keys()]);
      for (const [part, numbers] of found) expectNear(said.get(part) ?? [], numbers, part);
    },
    60_000,
  );
});

/** The sensor of cortex-m4-qemu/main.c. */
function triangles(t: number): number[] {
  return [0, 1, 2].map((c) => {
    const phase = (t * (7 + c)) & 1023;
    const triangle = phase < 512 ? phase : 1023 - phase;
    const noise = (Math.imul(t + 1, 2_654_435_761) ^ Math.imul(c + 1, 40_503)) >>> 8;
    return (triangle - 256) * 4 + (noise % 21);
  });
}

requires("make", "cppcheck")("the examples' own check", () => {
  test.for(MADE)(
    "firmware-examples/$example for $board has nothing that cppcheck names",
    async ({ example, board }) => {
      const cwd = join(REPOSITORY, "firmware-examples", example);
      execFileSync("make", ["check", `BOARD=${board}`], { cwd, stdio: "pipe" });
    },
  );
});
