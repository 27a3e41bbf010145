import type { DeviceTruth } from "../../api/api-node.ts";
import type { Logger } from "../../logger.ts";
import type { NodeEvent } from "../../reconstructor/node-event.ts";
import type { TwinView } from "../../reconstructor/twin-view.ts";
import { CommandError } from "../command-error.ts";
import { LiveTruth } from "./live-truth.ts";
import { readTruthRecipe } from "./truth-recipe.ts";
import { TruthBudget } from "./truth-ring.ts";

/** Original values kept of all devices together: 128 MB. */
const MOST_VALUES = 2 ** 24;
/** To make a signal again takes as long as to make it: no node should do so for a crowd. */
const MOST_DEVICES = 64;

/** What truths are told from. */
export interface ToldTruthsOptions {
  /** Where simulated devices say what they are made of. */
  readonly folder: string;
  readonly logger: Logger;
  device(id: string): TwinView | undefined;
}

/** The truth of simulated devices, made again from what they say in a folder; for tests. Nothing of it is stored. */
export class ToldTruths {
  readonly #options: ToldTruthsOptions;
  readonly #budget = new TruthBudget(MOST_VALUES);
  /** Undefined: looked for, and not there. */
  readonly #truths = new Map<string, LiveTruth | undefined>();

  constructor(options: ToldTruthsOptions) {
    this.#options = options;
  }

  /** What is known of a device; undefined where it says nothing. */
  truthOf(device: string): DeviceTruth | undefined {
    return this.#truths.get(device);
  }

  /** Hear what happens at the node. */
  observe(event: NodeEvent): void {
    // A boot may be one of another run, made of something else.
    if (event.kind === "born" && event.isNewEpoch) {
      this.#truths.get(event.device)?.release();
      this.#truths.delete(event.device);
    }
    if (event.kind !== "confirmed") return;
    if (!this.#truths.has(event.device)) this.#truths.set(event.device, this.#lookUp(event.device));
    const view = this.#options.device(event.device);
    if (view !== undefined) this.#truths.get(event.device)?.observe(view, event.samples);
  }

  #lookUp(device: string): LiveTruth | undefined {
    const { folder, logger } = this.#options;
    try {
      const origin = readTruthRecipe(folder, device);
      if (origin === undefined) return undefined;
      const known = [...this.#truths.values()].filter((truth) => truth !== undefined);
      if (known.length < MOST_DEVICES) return new LiveTruth(origin, this.#budget);
      logger.warn({ device, most: MOST_DEVICES }, "the truth of further devices is not looked at");
    } catch (cause) {
      if (!(cause instanceof CommandError)) throw cause;
      logger.warn({ device }, cause.message);
    }
    return undefined;
  }
}
