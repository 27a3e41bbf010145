import type { ArenaSection } from "../arena.ts";

/** Sections of a device's arena, in the order of the buffers that kernels/arena.wgsl binds. Scratch is behind `work`. */
export const SECTIONS = ["value", "gradient", "average", "squareAverage", "work"] as const;
export type DeviceSection = (typeof SECTIONS)[number];

/** A file of kernels and the entry point in it. */
export type KernelId = `${string}.${string}`;

/** One dispatch of a kernel, with everything that is fixed when it is recorded. */
export interface Dispatch {
  readonly kernel: KernelId;
  /** Of its places; those that are "none" are left out. Pipelines are made for each kernel with its sections and constants. */
  readonly sections: Readonly<Record<string, DeviceSection>>;
  readonly constants: Readonly<Record<string, number>>;
  /** Fields of the kernel's `Call`, by name. */
  readonly fields: Readonly<Record<string, number>>;
  readonly groups: readonly [x: number, y: number, z: number];
}

/** Sections are this far apart in an address, which is a whole number that kernels of all backends are given. */
const SECTION_SPAN = 2 ** 32;

/** The address of a place: greater than 0, which means "none". */
export function addressOf(section: DeviceSection, offset: number): number {
  return (SECTIONS.indexOf(section) + 1) * SECTION_SPAN + offset;
}

/** Where the sections of a program lie on a device, in numbers behind the start of `work` where they are no buffers. */
export function placeOf(section: ArenaSection, offset: number, scratchStart: number): number {
  return section === "scratch" ? addressOf("work", scratchStart + offset) : addressOf(section, offset);
}

/** What a dispatch is given for its places: those that are 0 are left out. */
export function resolvePlaces(places: Readonly<Record<string, number>>): Pick<Dispatch, "sections" | "fields"> {
  const given = Object.entries(places).filter(([, address]) => address !== 0);
  return {
    sections: Object.fromEntries(
      given.map(([name, address]) => [name, SECTIONS[Math.floor(address / SECTION_SPAN) - 1] ?? "work"]),
    ),
    fields: Object.fromEntries(given.map(([name, address]) => [name, address % SECTION_SPAN])),
  };
}
