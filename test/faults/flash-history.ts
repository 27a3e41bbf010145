import { encodeFrame } from "@lockstep/protocol";
import type { SeededRandom } from "@lockstep/sim";
import type { FlashRequest, FlashRig } from "./flash-rig.ts";
import { type RingContent, readRing } from "./ring-frames.ts";

/** What a boot must find: frames that nobody has confirmed, by name, and the last epoch that the cloud has granted. */
export interface KeptState {
  /** epoch.seq:content, oldest first; epoch 0 for a boot that was granted none. */
  readonly frames: readonly string[];
  readonly granted: number;
}

/** Nothing at all. */
export const EMPTY_STATE: KeptState = { frames: [], granted: 0 };

/** The frame with which the cloud grants an epoch to the boot with this nonce. */
export function welcome(nonce: number, epoch: number, through = 0): Uint8Array {
  const timeUs = 1_700_000_000_000_000;
  return encodeFrame({ kind: "welcome", nonce, epoch, through, alias: "", ackAgeMs: 1000, timeUs });
}

/** The frame with which the cloud confirms all below `through`. */
export function ack(nonce: number, epoch: number, through: number): Uint8Array {
  return encodeFrame({ kind: "ack", nonce, epoch, through, missing: [] });
}

/** The ring in RAM as it is now, which a save has just written. */
export async function ringOf(rig: FlashRig): Promise<RingContent> {
  const [dump, count] = await rig.ask(["D"], ["Z"]);
  return readRing(dump?.bytes ?? new Uint8Array(), count?.status ?? 0);
}

/** What the frames of a ring are called, for comparison. */
export function namesOf({ frames }: Pick<RingContent, "frames">): string[] {
  return frames.map(({ epoch, seq, content }) => `${epoch}.${seq}:${content}`);
}

/**
 * What happens to a device in a seeded life: samples, acknowledgements of some of its frames, boots with and without a
 * cloud to hear, stretches without one, and time to tidy. Each step says what the flash must hold after it, if power
 * holds.
 */
export class FlashHistory {
  readonly #random: SeededRandom;
  readonly #isRestless: boolean;
  #nonce = 0;
  #epoch = 0;
  #isWelcome = false;
  /** Steps still to come before a boot, and samples before the next step. */
  #left = 0;
  #samples = 0;
  #isOnline = false;
  #ring: RingContent = { frames: [], granted: 0, wished: 0 };
  #last = 0;

  /** @param isRestless  boots follow each other, and nothing is ever confirmed: what waits must be copied from sector to sector */
  constructor(random: SeededRandom, isRestless: boolean) {
    this.#random = random;
    this.#isRestless = isRestless;
  }

  /** The next request. */
  next(): FlashRequest {
    const chance = () => this.#random.uniform();
    // One at a time: it may close a frame, or push older ones out, never both.
    if (this.#samples > 0) {
      this.#samples -= 1;
      return ["S", 1];
    }
    if (this.#left === 0) {
      this.#nonce += 1;
      this.#isWelcome = false;
      this.#isOnline = chance() < 0.8;
      this.#left =
        chance() < (this.#isRestless ? 1 : 0.3) ? 1 + Math.floor(3 * chance()) : 5 + Math.floor(40 * chance());
      return ["B", this.#nonce];
    }
    this.#left -= 1;
    if (!this.#isWelcome && this.#isOnline && chance() < (this.#isRestless ? 0.9 : 0.4)) {
      this.#epoch += 1;
      this.#isWelcome = true;
      return ["R", 0, 0, welcome(this.#nonce, this.#epoch)];
    }
    const oldest = this.#ring.frames[0];
    if (this.#isWelcome && oldest !== undefined && oldest.epoch > 0 && !this.#isRestless && chance() < 0.25) {
      const last = this.#ring.frames.findLast(({ epoch }) => epoch === oldest.epoch)?.seq ?? oldest.seq;
      const through = oldest.seq + 1 + Math.floor((last - oldest.seq + 1) * chance() * 0.999);
      return ["R", 0, 0, ack(this.#nonce, oldest.epoch, through)];
    }
    if (chance() < (this.#isRestless ? 0.9 : 0.15)) return ["T", 1 + Math.floor(6 * chance())];
    this.#samples = 11;
    return ["S", 1];
  }

  /** Look at the ring after a request that power survived. */
  async observe(rig: FlashRig): Promise<KeptState> {
    this.#ring = await ringOf(rig);
    this.#last = Math.max(this.#last, this.#ring.granted);
    return { frames: namesOf(this.#ring), granted: this.#last };
  }
}
