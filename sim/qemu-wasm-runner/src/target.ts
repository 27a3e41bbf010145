import type { BoardName, ToolName } from "./board.ts";

/** How programs for a board are compiled, and what runs them. */
export interface Target {
  readonly compiler: ToolName;
  /** For compiling and linking. */
  readonly cpuFlags: readonly string[];
  readonly linkFlags: readonly string[];
  /** Without an operating system and a C library: ours, of `boards/libc`. */
  readonly isFreestanding: boolean;
  /** Of `boards/`. */
  readonly boardSources: readonly string[];
  /** Most bytes that a called module's memory may grow to. */
  readonly grownBytesMax: number;
  /** `e_machine` of its programs; null: not looked at. */
  readonly elfMachine: number | null;
  readonly emulator: Emulator | null;
}

/** QEMU: for one program of a foreign Linux, or for a whole machine. */
export type Emulator =
  | { readonly kind: "user"; readonly tool: ToolName }
  | {
      readonly kind: "system";
      readonly tool: ToolName;
      readonly args: readonly string[];
      /** Nanoseconds of virtual time for an instruction, as a power of two, when it counts. */
      readonly countingShift: number;
      /** Its UART loses what comes before the program has turned it on, and then says so with a zero. */
      readonly announcesUart: boolean;
    };

const MIB = 2 ** 20;
const EM_ARM = 40;
const EM_AARCH64 = 183;
const EM_RISCV = 243;
/** An instruction must take more than two ticks of the clock that counts: boards/cortex-m.c. */
const CORTEX_M_SHIFT = 7;
/** minstret is virtual time in nanoseconds. */
const RISCV_SHIFT = 0;

function linux(compiler: ToolName, elfMachine: number | null, tool?: ToolName): Target {
  return {
    compiler,
    cpuFlags: [],
    linkFlags: tool === undefined ? [] : ["-static"],
    isFreestanding: false,
    boardSources: ["board-host.c"],
    grownBytesMax: 16 * MIB,
    elfMachine,
    emulator: tool === undefined ? null : { kind: "user", tool },
  };
}

interface Chip {
  readonly cpu: string;
  readonly define: string;
  readonly uart: string;
  readonly script: string;
  readonly machine: string;
  /** What its network card is told, so that it reaches nobody; without a word QEMU gives it a network. */
  readonly nic: string;
  readonly announcesUart: boolean;
  readonly grownBytesMax: number;
}

function cortexM({ cpu, define, uart, script, machine, nic, announcesUart, grownBytesMax }: Chip): Target {
  return {
    compiler: "gcc-arm-none-eabi",
    cpuFlags: [`-mcpu=${cpu}`, "-mthumb", `-D${define}`],
    linkFlags: ["-T", script],
    isFreestanding: true,
    boardSources: ["bare-metal.c", "jump.c", "cortex-m.c", uart],
    grownBytesMax,
    elfMachine: EM_ARM,
    emulator: {
      kind: "system",
      tool: "qemu-system-arm",
      args: ["-M", machine, "-nic", nic, "-semihosting-config", "enable=on,target=native"],
      countingShift: CORTEX_M_SHIFT,
      announcesUart,
    },
  };
}

const MPS2 = {
  define: "BOARD_MPS2",
  uart: "cmsdk-uart.c",
  script: "mps2.ld",
  nic: "user,restrict=on",
  announcesUart: false,
  grownBytesMax: 3 * MIB,
};

const TARGETS: Readonly<Record<Exclude<BoardName, "node">, Target>> = {
  host: linux("c-compiler", null),
  aarch64: linux("gcc-aarch64", EM_AARCH64, "qemu-aarch64"),
  armhf: linux("gcc-armhf", EM_ARM, "qemu-arm"),
  "cortex-m0": cortexM({ ...MPS2, cpu: "cortex-m0", machine: "mps2-an385" }),
  "mps2-an385": cortexM({ ...MPS2, cpu: "cortex-m3", machine: "mps2-an385" }),
  "mps2-an386": cortexM({ ...MPS2, cpu: "cortex-m4", machine: "mps2-an386" }),
  "mps2-an500": cortexM({ ...MPS2, cpu: "cortex-m7", machine: "mps2-an500" }),
  netduinoplus2: cortexM({
    cpu: "cortex-m4",
    define: "BOARD_STM32F405",
    uart: "stm32f4-usart.c",
    script: "netduinoplus2.ld",
    machine: "netduinoplus2",
    nic: "none",
    announcesUart: true,
    grownBytesMax: 65_536,
  }),
  "riscv32-virt": {
    compiler: "gcc-riscv64-unknown-elf",
    // Another way to name this architecture makes Debian's gcc link its 64-bit library.
    cpuFlags: ["-misa-spec=2.2", "-march=rv32imc", "-mabi=ilp32"],
    linkFlags: ["-T", "riscv32-virt.ld"],
    isFreestanding: true,
    boardSources: ["bare-metal.c", "jump.c", "riscv32-virt.c"],
    grownBytesMax: 16 * MIB,
    elfMachine: EM_RISCV,
    emulator: {
      kind: "system",
      tool: "qemu-system-riscv32",
      args: ["-M", "virt", "-nic", "none", "-bios", "none"],
      countingShift: RISCV_SHIFT,
      announcesUart: false,
    },
  },
};

/** How programs for this board are made and run; nothing is built for `node`. */
export function targetOf(board: Exclude<BoardName, "node">): Target {
  return TARGETS[board];
}
