import type { Core } from "@lockstep/edge-sdk/core";
import { type BirthFrame, birthHash, type ChannelScale, channelScale } from "@lockstep/protocol";
import { unlessRefused } from "./codec-refusal.ts";
import type { ModuleRegistry } from "./module-registry.ts";

const NO_LATTICE = 1;

/** A configuration that the codec has checked. */
export type CodecConfig = ReturnType<Core["configure"]>;

/** What a birth says, ready for decoding. */
export interface BirthPlan {
  readonly birth: BirthFrame;
  /** 16 hex digits. */
  readonly hash: string;
  readonly core: Core;
  readonly scales: readonly ChannelScale[];
  /** The codec's configuration with these lattices active; undefined for one that the codec refuses. */
  config(lattices: number): CodecConfig | undefined;
}

/** Why a birth cannot be decoded with. */
export type BirthRefusal = "unknown-model" | "bad-birth";

/** Prepare to decode a birth's frames with exactly the module it names. */
export function planBirth(birth: BirthFrame, modules: ModuleRegistry): BirthPlan | BirthRefusal {
  if (!modules.has(birth.model)) return "unknown-model";
  const core = modules.get(birth.model);
  const configs = new Map<number, CodecConfig>();
  const config = (lattices: number): CodecConfig | undefined => {
    const known = configs.get(lattices);
    if (known !== undefined) return known;
    if (lattices >= 2 ** birth.channels.length) return undefined;
    const channels = birth.channels.map((channel, c) =>
      (lattices >> c) & 1 ? channel : { ...channel, lattice: NO_LATTICE },
    );
    const made = unlessRefused(() => core.configure(channels));
    if (made !== undefined) configs.set(lattices, made);
    return made;
  };
  const all = 2 ** birth.channels.length - 1;
  if (config(all) === undefined || config(0) === undefined) return "bad-birth";
  return {
    birth,
    hash: birthHash(birth),
    core,
    scales: birth.channels.map(channelScale),
    config,
  };
}
