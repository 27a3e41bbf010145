import type { NodeEvent } from "../reconstructor/node-event.ts";

/** Samples confirmed per device since the node started, over all its boots: what its traffic is compared with. */
export class SampleTally {
  readonly #samples = new Map<string, number>();

  /** Take note of an event of the node. */
  observe(event: NodeEvent): void {
    if (event.kind === "confirmed") this.#samples.set(event.device, this.of(event.device) + event.samples);
  }

  of(device: string): number {
    return this.#samples.get(device) ?? 0;
  }
}
