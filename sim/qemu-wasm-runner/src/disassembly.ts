/** One instruction of a program. */
export interface Instruction {
  /** Without a suffix for its width. */
  readonly mnemonic: string;
  readonly bytes: number;
  /** Registers in its list, 0 without one. */
  readonly registers: number;
}

/** A program's instructions by address, and its functions. */
export interface Disassembly {
  readonly instructions: ReadonlyMap<number, Instruction>;
  readonly functions: ReadonlyMap<string, CodeRange>;
}

/** Addresses from `start` on, below `end`. */
export interface CodeRange {
  readonly start: number;
  readonly end: number;
}

const LABEL = /^([0-9a-f]+) <([^>]+)>:$/;
const LINE = /^\s*([0-9a-f]+):\t([0-9a-f]{4,8}(?: [0-9a-f]{4})?)\s*\t(\S+)(?:\t(.*))?$/;

/** Read what `objdump -d` prints. */
export function readDisassembly(text: string): Disassembly {
  const instructions = new Map<number, Instruction>();
  const functions = new Map<string, { start: number; end: number }>();
  let current = { start: 0, end: 0 };
  for (const line of text.split("\n")) {
    const [, start, name] = LABEL.exec(line) ?? [];
    if (start !== undefined && name !== undefined) {
      const address = Number.parseInt(start, 16);
      current = { start: address, end: address };
      functions.set(name, current);
      continue;
    }
    const [, address, code, mnemonic, operands = ""] = LINE.exec(line) ?? [];
    if (address === undefined || code === undefined || mnemonic === undefined) continue;
    const at = Number.parseInt(address, 16);
    const bytes = code.replace(" ", "").length / 2;
    current.end = at + bytes;
    instructions.set(at, { mnemonic: mnemonic.replace(/\.[nw]$/, ""), bytes, registers: countRegisters(operands) });
  }
  return { instructions, functions };
}

/** `{r4-r7, lr}` are five. */
function countRegisters(operands: string): number {
  const [, list] = /\{([^}]*)\}/.exec(operands) ?? [];
  if (list === undefined) return 0;
  return list.split(",").reduce((count, one) => {
    const [, first, last] = /r(\d+)-r(\d+)/.exec(one) ?? [];
    return count + (first === undefined || last === undefined ? 1 : Number(last) - Number(first) + 1);
  }, 0);
}
