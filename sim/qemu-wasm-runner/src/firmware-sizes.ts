import { readFile } from "node:fs/promises";
import { type ImageSizes, readElfSizes } from "./elf-sizes.ts";
import { type MapSizes, readMapSizes } from "./map-sizes.ts";

/** Bytes of a program, and of each of its parts. */
export interface FirmwareSizes extends ImageSizes {
  /** Code, constants, and the start values of data. */
  readonly flashBytes: number;
  /** Data, zeroed data and stack. */
  readonly ramBytes: number;
  /** Set aside for the stack, 0 where an operating system gives it. Not among the zeroed bytes. */
  readonly stackBytes: number;
  /** The same by part; alignment between them is nobody's. Null where the linker wrote no map. */
  readonly parts: MapSizes["parts"] | null;
}

/** Read the sizes of a program. @returns null where its file is no ELF */
export async function readFirmwareSizes(file: string, mapFile: string | null): Promise<FirmwareSizes | null> {
  const image = readElfSizes(await readFile(file));
  if (image === null) return null;
  const { parts, stackBytes } =
    mapFile === null ? { parts: null, stackBytes: 0 } : readMapSizes(await readFile(mapFile, "utf8"));
  const { codeBytes, constantBytes, dataBytes, zeroedBytes } = image;
  return {
    ...image,
    zeroedBytes: zeroedBytes - stackBytes,
    flashBytes: codeBytes + constantBytes + dataBytes,
    ramBytes: dataBytes + zeroedBytes,
    stackBytes,
    parts,
  };
}
