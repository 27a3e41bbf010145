import { RunnerError } from "./runner-error.ts";

/** A place where a module can run. */
export interface Board {
  readonly name: BoardName;
  /** What it is, in a line. */
  readonly summary: string;
  /** Tools it needs, names in the table of `doctor`. */
  readonly tools: readonly ToolName[];
  /** Whether instructions can be counted there, to the last one. */
  readonly isCounting: boolean;
}

/** Boards there are. */
export type BoardName =
  | "host"
  | "node"
  | "aarch64"
  | "armhf"
  | "cortex-m0"
  | "mps2-an385"
  | "mps2-an386"
  | "mps2-an500"
  | "netduinoplus2"
  | "riscv32-virt";

/** Programs that a board may need. */
export type ToolName =
  | "c-compiler"
  | "gcc-aarch64"
  | "gcc-armhf"
  | "gcc-arm-none-eabi"
  | "gcc-riscv64-unknown-elf"
  | "qemu-aarch64"
  | "qemu-arm"
  | "qemu-system-arm"
  | "qemu-system-riscv32";

const CORTEX_M: Pick<Board, "tools" | "isCounting"> = {
  tools: ["gcc-arm-none-eabi", "qemu-system-arm"],
  isCounting: true,
};

/** Every board, by name. */
export const BOARDS: readonly Board[] = [
  {
    name: "host",
    summary: "this machine: the module as C, compiled by its compiler",
    tools: ["c-compiler"],
    isCounting: false,
  },
  {
    name: "node",
    summary: "the WebAssembly of Node itself: needs nothing, builds nothing",
    tools: [],
    isCounting: false,
  },
  {
    name: "aarch64",
    summary: "64-bit Arm Linux, as a static program under QEMU's user mode",
    tools: ["gcc-aarch64", "qemu-aarch64"],
    isCounting: false,
  },
  {
    name: "armhf",
    summary: "32-bit Arm Linux, as a static program under QEMU's user mode",
    tools: ["gcc-armhf", "qemu-arm"],
    isCounting: false,
  },
  { name: "cortex-m0", summary: "Cortex-M0 code, on the machine mps2-an385", ...CORTEX_M },
  { name: "mps2-an385", summary: "Arm MPS2 with a Cortex-M3", ...CORTEX_M },
  { name: "mps2-an386", summary: "Arm MPS2 with a Cortex-M4", ...CORTEX_M },
  { name: "mps2-an500", summary: "Arm MPS2 with a Cortex-M7", ...CORTEX_M },
  { name: "netduinoplus2", summary: "Netduino Plus 2: STM32F405, a Cortex-M4 with 128 KiB of memory", ...CORTEX_M },
  {
    name: "riscv32-virt",
    summary: "QEMU's virt machine as RV32IMC",
    tools: ["gcc-riscv64-unknown-elf", "qemu-system-riscv32"],
    isCounting: true,
  },
];

/**
 * The board of this name.
 *
 * @throws {RunnerError} `unknown-board`, naming those that there are
 */
export function findBoard(name: string): Board {
  const found = BOARDS.find((board) => board.name === name);
  if (found === undefined) {
    throw new RunnerError("unknown-board", { board: `"${name}"`, known: BOARDS.map((board) => board.name).join(" ") });
  }
  return found;
}
