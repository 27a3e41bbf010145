import type { BoardName } from "qemu-wasm-runner";

/** A board to test on, and what must be installed for it: rows of `scripts/os-packages.js`. */
export interface TestedBoard {
  readonly board: Exclude<BoardName, "node">;
  readonly needs: readonly string[];
  /** Without an operating system: it counts instructions, and knows its stack. */
  readonly isBare: boolean;
}

const CORTEX_M = { needs: ["gcc-arm-none-eabi", "qemu-system-arm"], isBare: true };

/** Every board for which something is built. */
export const TESTED_BOARDS: readonly TestedBoard[] = [
  { board: "host", needs: ["c-compiler"], isBare: false },
  { board: "aarch64", needs: ["gcc-aarch64", "qemu-aarch64"], isBare: false },
  { board: "armhf", needs: ["gcc-armhf", "qemu-arm"], isBare: false },
  { board: "cortex-m0", ...CORTEX_M },
  { board: "mps2-an385", ...CORTEX_M },
  { board: "mps2-an386", ...CORTEX_M },
  { board: "mps2-an500", ...CORTEX_M },
  { board: "netduinoplus2", ...CORTEX_M },
  { board: "riscv32-virt", needs: ["gcc-riscv64-unknown-elf", "qemu-system-riscv32"], isBare: true },
];
