import { decodeFrame, encodeFrame, type FlashCommandFrame, type FlashStateFrame } from "@lockstep/protocol";
import { RawCloud } from "../conformance/raw-cloud.ts";
import { beginFrame, chunkFrame, type UpdatePackage } from "./update-package.ts";

/** Frames of the new epoch after which a trial is confirmed. */
const CONFIRM_AFTER = 8;

/** The smallest receiver, which updates its device too: it asks after every birth, and goes on from every state. */
export class UpdatingCloud {
  readonly raw = new RawCloud();
  readonly models: string[] = [];
  readonly states: FlashStateFrame[] = [];
  isConfirming = true;
  /** Boots whose frames are acknowledged; later ones are welcomed, and no more. */
  acknowledgedBoots = Number.POSITIVE_INFINITY;
  #wanted: UpdatePackage | undefined;
  #nonce = 0;
  #framesOfBoot = 0;
  /** Frames of the boot when it was last confirmed: a device that is not ready for it answers at once. */
  #framesConfirmed = 0;
  #isFailed = false;

  /** What to update the device to, from its next state on. */
  want(update: UpdatePackage): Uint8Array {
    this.#wanted = update;
    this.#isFailed = false;
    return encodeFrame({ kind: "flash", op: "ask", nonce: this.#nonce });
  }

  /** The update wanted runs, and is confirmed. */
  get isDone(): boolean {
    const state = this.states.at(-1);
    return state?.phase === "idle" && state.verdict === 0 && state.running.version === this.#wanted?.version;
  }

  /** The update wanted was refused, or went back. */
  get hasFailed(): boolean {
    return this.#isFailed;
  }

  /** Take one message; returns what to send back. */
  take(bytes: Uint8Array): Uint8Array[] {
    const frame = decodeFrame(bytes);
    if (frame.kind === "flash") return frame.op === "state" ? this.#hear(frame).map(encodeFrame) : [];
    const isNewBoot = frame.kind === "birth" && frame.nonce !== this.#nonce;
    if (isNewBoot) {
      // Every boot an epoch of its own, as the node grants them.
      this.raw.epoch = Math.max(frame.epoch, this.raw.epoch + 1);
      this.#nonce = frame.nonce;
      this.#framesOfBoot = 0;
      this.#framesConfirmed = 0;
      this.models.push(frame.model);
    }
    const answers =
      frame.kind === "birth" ? this.raw.take(encodeFrame({ ...frame, epoch: this.raw.epoch })) : this.raw.take(bytes);
    const isAcknowledging = this.models.length <= this.acknowledgedBoots;
    if (frame.kind === "status" && !isAcknowledging) return [];
    if (this.raw.birth !== undefined && isAcknowledging) answers.push(this.raw.ackAll());
    if (frame.kind === "keyframe" || frame.kind === "residual") this.#framesOfBoot += 1;
    const isAsking = isNewBoot || this.#framesOfBoot % CONFIRM_AFTER === 0;
    if (isAsking && frame.kind !== "status")
      answers.push(encodeFrame({ kind: "flash", op: "ask", nonce: this.#nonce }));
    return answers;
  }

  #hear(state: FlashStateFrame): FlashCommandFrame[] {
    this.states.push(state);
    const update = this.#wanted;
    if (update === undefined || this.isDone) return [];
    const { sid } = update;
    const nonce = this.#nonce;
    if (state.sid === sid && state.phase === "idle" && state.verdict !== 0) this.#isFailed = true;
    if (this.#isFailed) return [];
    if (state.sid !== sid || state.phase === "idle") return state.phase === "trying" ? [] : [beginFrame(update, nonce)];
    if (state.phase === "receiving") {
      const isAll = state.next >= update.body.length;
      return [
        isAll ? { kind: "flash", op: "end", nonce, sid } : chunkFrame(update, state.next, state.chunkBytes, nonce),
      ];
    }
    if (state.phase === "ready") return [{ kind: "flash", op: "activate", nonce, sid }];
    const isProven = state.phase === "trying" && this.#framesOfBoot >= CONFIRM_AFTER && this.isConfirming;
    if (!isProven || this.#framesConfirmed === this.#framesOfBoot) return [];
    this.#framesConfirmed = this.#framesOfBoot;
    return [{ kind: "flash", op: "confirm", nonce, sid }];
  }
}
