import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { programPath, requires } from "../os-package.ts";
import { STRICT } from "./c-host-build.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const SUPPORT = here("../../firmware-examples/board-support");
const BOARDS = join(SUPPORT, "boards");
const SERVER = here("../../sim/qemu-wasm-runner/firmware");
const FOLDER = mkdtempSync(join(tmpdir(), "board-support-"));
const OUTPUT = join(FOLDER, "object.o");
const WAYS = ["-Os", "-O2"];

afterAll(() => rmSync(FOLDER, { recursive: true }));

interface Compilation {
  readonly needs: string;
  readonly cpus: readonly string[][];
  readonly sources: readonly string[];
}

const INTERPRETER = readdirSync(join(SUPPORT, "interpreter"))
  .filter((name) => name.endsWith(".c"))
  .map((name) => join(SUPPORT, "interpreter", name));
const SHARED = [
  ...INTERPRETER,
  ...["bare-metal.c", "jump.c", "memory.c"].map((name) => join(BOARDS, name)),
  join(SUPPORT, "wasm-rt.c"),
  join(SERVER, "call-server.c"),
];
/** Of either instruction set: Thumb-1 and Thumb-2. */
const CORES = ["cortex-m0", "cortex-m7"].map((core) => [`-mcpu=${core}`, "-mthumb"]);

const RISCV = ["riscv32-virt.c", "goldfish-clock.c", "cfi-flash.c"];
/** Of devices whose firmware can be replaced, on any board, and of those boards. */
const REPLACED = ["boot-record.c", "slots.c", "crc32.c", "sha256.c"].map((name) => join(SUPPORT, name));
const REPLACED_MPS2 = ["restart.c", "cmsdk-watchdog.c", "model-flash.c", "mps2-slots.c"];
const REPLACED_RISCV = ["restart.c", "virt-slots.c"];
const RESTARTS = "-DBOARD_RESTARTS";

const COMPILATIONS: readonly Compilation[] = [
  {
    needs: "gcc-arm-none-eabi",
    cpus: CORES.map((cpu) => [...cpu, "-DBOARD_MPS2"]),
    sources: [...SHARED, ...["cortex-m.c", "cmsdk-uart.c", "semihosting-clock.c"].map((name) => join(BOARDS, name))],
  },
  {
    needs: "gcc-arm-none-eabi",
    cpus: [["-mcpu=cortex-m4", "-mthumb", "-DBOARD_STM32F405"]],
    sources: ["cortex-m.c", "stm32f4-usart.c"].map((name) => join(BOARDS, name)),
  },
  {
    needs: "gcc-riscv64-unknown-elf",
    cpus: [["-misa-spec=2.2", "-march=rv32imc", "-mabi=ilp32"]],
    sources: [...SHARED, ...RISCV.map((name) => join(BOARDS, name))],
  },
  {
    needs: "gcc-arm-none-eabi",
    cpus: CORES.map((cpu) => [...cpu, "-DBOARD_MPS2", RESTARTS]),
    sources: [...REPLACED, ...["cortex-m.c", "bare-metal.c", ...REPLACED_MPS2].map((name) => join(BOARDS, name))],
  },
  {
    needs: "gcc-riscv64-unknown-elf",
    cpus: [["-misa-spec=2.2", "-march=rv32imc", "-mabi=ilp32", RESTARTS]],
    sources: [...REPLACED, ...["riscv32-virt.c", "bare-metal.c", ...REPLACED_RISCV].map((name) => join(BOARDS, name))],
  },
];

test("every source of a board is among those that are looked at", () => {
  const looked = new Set(COMPILATIONS.flatMap(({ sources }) => sources));
  const all = readdirSync(BOARDS).filter((name) => name.endsWith(".c"));
  expect(all.length).toBeGreaterThan(5);
  expect(INTERPRETER.length).toBe(7);
  expect(all.filter((name) => !looked.has(join(BOARDS, name)))).toEqual(["board-host.c"]);
});

for (const { needs, cpus, sources } of COMPILATIONS) {
  requires(needs)(`board support for ${cpus.flat().join(" ")}`, () => {
    test("compiles as C99 without a C library and without a warning", () => {
      const library = ["-std=c99", "-ffreestanding", "-isystem", join(BOARDS, "libc"), `-I${BOARDS}`, `-I${SUPPORT}`];
      for (const cpu of cpus) {
        for (const way of WAYS) {
          for (const source of sources) {
            const args = [...cpu, way, ...library, ...STRICT, "-c", "-o", OUTPUT, source];
            execFileSync(programPath(needs), args, { stdio: ["ignore", "pipe", "pipe"] });
          }
        }
      }
    });
  });
}

requires("c-compiler")("board support for Linux", () => {
  test("compiles as C99 without a warning", () => {
    const args = ["-std=c99", ...STRICT, `-I${BOARDS}`, "-c", "-o", OUTPUT, join(BOARDS, "board-host.c")];
    execFileSync(programPath("c-compiler"), args, { stdio: ["ignore", "pipe", "pipe"] });
  });
});

requires("cppcheck")("board support under cppcheck", () => {
  const ALWAYS = [
    "--enable=warning,style,performance,portability",
    "--suppress=missingIncludeSystem",
    "--std=c99",
    "--quiet",
    "--error-exitcode=1",
    `-I${BOARDS}`,
    `-I${SUPPORT}`,
  ];
  const on = (names: readonly string[]) => names.map((name) => join(BOARDS, name));
  const LIBRARY = `-I${join(BOARDS, "libc")}`;

  test.for([
    [
      "mps2",
      ["-DBOARD_MPS2", "-D__arm__", LIBRARY, ...on(["cortex-m.c", "cmsdk-uart.c", "semihosting-clock.c"]), ...SHARED],
    ],
    ["netduinoplus2", ["-DBOARD_STM32F405", "-D__arm__", LIBRARY, ...on(["cortex-m.c", "stm32f4-usart.c"])]],
    [
      "mps2, where firmware is replaced",
      [
        "-DBOARD_MPS2",
        "-D__arm__",
        RESTARTS,
        LIBRARY,
        ...on(["cortex-m.c", "bare-metal.c", ...REPLACED_MPS2]),
        ...REPLACED,
      ],
    ],
    [
      "riscv32-virt, where firmware is replaced",
      ["-D__riscv", "-D__riscv_xlen=32", RESTARTS, LIBRARY, ...on(REPLACED_RISCV)],
    ],
    ["riscv32-virt", ["-D__riscv", "-D__riscv_xlen=32", LIBRARY, ...on([...RISCV, "jump.c"])]],
    ["host", on(["board-host.c"])],
  ] as const)("%s: it finds nothing", ([, args]) => {
    const { status, stderr } = spawnSync(programPath("cppcheck"), [...ALWAYS, ...args], { encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });
});
