/** What a part of a program is: the translated module with its memory; what it stands on; the program around; the board. */
export type ProgramPart = "module" | "runtime" | "program" | "board";

/** Bytes of one part: in flash (code and constants, and the start values of data), and in memory. */
export interface PartSizes {
  readonly codeBytes: number;
  readonly constantBytes: number;
  readonly dataBytes: number;
  readonly zeroedBytes: number;
}

/** A program's parts, by the linker's map. */
export interface MapSizes {
  readonly parts: Readonly<Record<ProgramPart, PartSizes>>;
  /** Memory set aside for the stack, 0 where an operating system gives it. */
  readonly stackBytes: number;
}

const KINDS: readonly (readonly [RegExp, keyof PartSizes])[] = [
  [/^\.text/, "codeBytes"],
  [/^\.(rodata|data\.rel\.ro)/, "constantBytes"],
  [/^\.data/, "dataBytes"],
  [/^\.bss/, "zeroedBytes"],
];
/** A section of the program at a line's start, one of an object after a space; a long name has its numbers a line on. */
const SECTION = /^( ?)(\.[\w.$-]+|COMMON)\s+0x[0-9a-f]+\s+0x([0-9a-f]+)(?: ([^\n]+))?$/gm;

/**
 * Sizes by part, from the map that GNU ld writes.
 *
 * @param map  objects are named after their part, `module-…`; those of a library belong to the run time
 */
export function readMapSizes(map: string): MapSizes {
  const parts = { module: noBytes(), runtime: noBytes(), program: noBytes(), board: noBytes() };
  let kind: keyof PartSizes | undefined;
  let stackBytes = 0;
  const linked = map.slice(map.indexOf("Linker script and memory map"));
  for (const [, indent, name = "", size = "", object] of linked.matchAll(SECTION)) {
    const bytes = Number.parseInt(size, 16);
    if (indent === "") {
      kind = KINDS.find(([pattern]) => pattern.test(name))?.[1];
      if (name === ".stack") stackBytes = bytes;
    } else if (kind !== undefined && object !== undefined) parts[partOf(object)][kind] += bytes;
  }
  return { parts, stackBytes };
}

function noBytes(): { -readonly [K in keyof PartSizes]: number } {
  return { codeBytes: 0, constantBytes: 0, dataBytes: 0, zeroedBytes: 0 };
}

function partOf(object: string): ProgramPart {
  const [, part] = /\b(module|program|board)-\d+-[^/]*\.o$/.exec(object) ?? [];
  return (part as ProgramPart | undefined) ?? "runtime";
}
