import type { BoardName } from "./board.ts";

/**
 * Frozen table: most cycles that an instruction takes on a core, from code and data without wait states.
 *
 * It is a bound from manuals, and no measurement: nothing here ran on silicon. Multiply by 1 + wait states for code that
 * is read from slow flash without a cache.
 */
export interface CycleTable {
  readonly core: string;
  /** Where the numbers are from, and what was chosen where it leaves a choice. */
  readonly source: string;
  /** The first row that fits the mnemonic counts; any other instruction takes one cycle. */
  readonly rows: readonly CycleRow[];
  /** More for each instruction after which another one follows than the next in memory: the pipeline is filled anew. */
  readonly refillCycles: number;
}

/** Cycles of the instructions whose mnemonic fits. */
export interface CycleRow {
  readonly mnemonic: RegExp;
  readonly cycles: number;
  /** More for each register in a list. */
  readonly perRegister?: number;
  readonly reason: string;
}

const LISTS: CycleRow = {
  mnemonic: /^(push|pop|stm|ldm)/,
  cycles: 1,
  perRegister: 1,
  reason: "1 + N for N registers; with pc among them, the refill",
};
const PAIRS: CycleRow = { mnemonic: /^(ldrd|strd)/, cycles: 3, reason: "1 + N, two registers" };
const SINGLES: CycleRow = {
  mnemonic: /^(ldr|str)/,
  cycles: 2,
  reason: "2 at most; 1 where it is pipelined with its neighbour",
};
const TABLE_BRANCHES: CycleRow = { mnemonic: /^tb[bh]/, cycles: 2, reason: "2 + P" };
const SYSTEM: CycleRow = {
  mnemonic: /^(dsb|dmb|isb|mrs|msr|cps|wfi)/,
  cycles: 5,
  reason: "1 + B, a barrier's wait, which no table bounds",
};
const DIVISIONS: CycleRow = { mnemonic: /^[us]div/, cycles: 12, reason: "2 to 12, by its operands" };

const CORTEX_M0: CycleTable = {
  core: "Cortex-M0",
  source: "Arm DDI 0432C, table 3-1; with the small multiplier",
  rows: [
    LISTS,
    SINGLES,
    { mnemonic: /^mul/, cycles: 32, reason: "1 or 32: a chip may have the small multiplier" },
    SYSTEM,
  ],
  refillCycles: 3, // B and BX take 3 in all, and are counted as 4; BL 4; pop with pc 4 + N
};

const CORTEX_M3: CycleTable = {
  core: "Cortex-M3",
  source: "Arm DDI 0337I, table 3-1; P, the refill, at its most of 3; no load or store pipelined",
  rows: [
    LISTS,
    PAIRS,
    SINGLES,
    DIVISIONS,
    { mnemonic: /^[us]mlal/, cycles: 7, reason: "4 to 7, by its operands" },
    { mnemonic: /^[us]mull/, cycles: 5, reason: "3 to 5, by its operands" },
    { mnemonic: /^ml[as]/, cycles: 2, reason: "2" },
    TABLE_BRANCHES,
    SYSTEM,
  ],
  refillCycles: 3,
};

const CORTEX_M4: CycleTable = {
  core: "Cortex-M4",
  source: "Arm 100166 (before: DDI 0439D), table 3-1; P, the refill, at its most of 3; no load or store pipelined",
  rows: [LISTS, PAIRS, SINGLES, DIVISIONS, TABLE_BRANCHES, SYSTEM],
  refillCycles: 3,
};

const CORTEX_M7: CycleTable = {
  core: "Cortex-M7",
  source:
    "Arm publishes no table: that of the M4, one instruction at a time, with code and data in tightly coupled memory " +
    "and every taken branch mispredicted",
  rows: CORTEX_M4.rows,
  refillCycles: 8,
};

const RV32IMC: CycleTable = {
  core: "RV32IMC",
  source:
    "SiFive FE310-G000 manual, section 3.3, an in-order core that waits out every latency; every branch mispredicted, every load a hit",
  rows: [
    { mnemonic: /^(lb|lbu|lh|lhu)$/, cycles: 3, reason: "latency of 3" },
    { mnemonic: /^lw$/, cycles: 2, reason: "latency of 2" },
    { mnemonic: /^mul/, cycles: 5, reason: "latency of 5" },
    { mnemonic: /^(div|rem)/, cycles: 34, reason: "2 to 33, by its operands, and one to begin" },
    { mnemonic: /^(b[a-z]+|j|jal|jr|jalr|ret|call|tail)$/, cycles: 4, reason: "1, and 3 when mispredicted" },
    { mnemonic: /^(csr|fence|wfi)/, cycles: 5, reason: "latency of 3, and a drained pipeline" },
  ],
  refillCycles: 0,
};

const TABLES: Readonly<Partial<Record<BoardName, CycleTable>>> = {
  "cortex-m0": CORTEX_M0,
  "mps2-an385": CORTEX_M3,
  "mps2-an386": CORTEX_M4,
  netduinoplus2: CORTEX_M4,
  "mps2-an500": CORTEX_M7,
  "riscv32-virt": RV32IMC,
};

/** The table of a board's core; undefined for a board that does not count. */
export function cycleTableOf(board: BoardName): CycleTable | undefined {
  return TABLES[board];
}

/** Most cycles of one instruction. @param isTaken  another one follows than the next in memory */
export function cyclesOf(table: CycleTable, mnemonic: string, registers: number, isTaken: boolean): number {
  const row = table.rows.find((one) => one.mnemonic.test(mnemonic));
  const base = row === undefined ? 1 : row.cycles + (row.perRegister ?? 0) * registers;
  return base + (isTaken ? table.refillCycles : 0);
}
