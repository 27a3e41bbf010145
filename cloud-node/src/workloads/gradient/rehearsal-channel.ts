import { addMac, encodeFrame, encodeStreamFrame, MAC_BYTES, MAX_EXCHANGE_BYTES } from "@lockstep/protocol";
import { InvariantError } from "../../invariant-error.ts";
import type { JobChannel, PeerNews } from "../../jobs/workload.ts";

const JOB = "00".repeat(8);
const MAC = new Uint8Array(MAC_BYTES);

/** A channel that nobody listens to: it makes the frames that a connection would carry, and says how long they are. */
export class RehearsalChannel implements JobChannel {
  readonly index: number;
  readonly count: number;
  readonly #seqs = new Map<number, number>();

  constructor(index: number, count: number) {
    this.index = index;
    this.count = count;
  }

  async send(to: number, message: Uint8Array): Promise<number> {
    let wireBytes = 0;
    for (let at = 0; ; ) {
      const payload = message.subarray(at, at + MAX_EXCHANGE_BYTES);
      at += payload.length;
      const seq = this.#seqs.get(to) ?? 0;
      this.#seqs.set(to, seq + 1);
      const route = { job: JOB, from: this.index, to, seq };
      const frame = encodeFrame({ kind: "exchange", ...route, isLast: at === message.length, payload });
      wireBytes += encodeStreamFrame(addMac(frame, () => MAC)).length;
      if (at === message.length) return wireBytes;
    }
  }

  receive(): Promise<PeerNews> {
    throw new InvariantError("gradient: nobody speaks in a rehearsal");
  }
}
