import { readFileSync } from "node:fs";
import { type BootedModule, UpdateDevice } from "@lockstep/edge-sdk";
import { decodeFrame, encodeFrame, type FlashCommandFrame, type FlashStateFrame } from "@lockstep/protocol";
import { type NorFlash, PowerCut } from "./nor-flash.ts";
import { beginFrame, chunkFrame, type SigningKey, type UpdatePackage } from "./update-package.ts";

export const UPDATE_WASM = readFileSync(new URL("../../edge-sdk/build/update.wasm", import.meta.url));
/** How long a trial may wait, ms of the rig's clock. */
export const CONFIRM_MS = 20_000;
/** Of the rig's clock between two turns. */
const TURN_MS = 10;
/** Turns without an answer after which the cloud asks. */
const PATIENCE = 12;
/** Turns in which every action that was begun comes to its end. */
const SETTLED = 60;
const BUILT_IN = 255;

/**
 * What a message meets on its way: the messages that arrive for it, maybe changed, maybe none. Where it throws a PowerCut in
 * place of one, or behind the last, the device's power goes there.
 */
export type Wire = (message: Uint8Array) => Iterable<Uint8Array>;

export interface RigOptions {
  readonly flash: NorFlash;
  readonly key: SigningKey;
  readonly builtIn: { readonly wasm: Uint8Array; readonly version: number };
  readonly wire?: Wire;
  /** Whether the link has frames acknowledged, and the cloud confirms. */
  readonly isConfirmed?: boolean;
  /** Told what boots, each time. */
  readonly onBoot?: (booted: BootedModule) => void;
  /** Traps when it has run so many turns on trial. */
  readonly trapsAfter?: number;
}

/** A device on simulated flash, and a cloud that wants to update it, turn by turn. */
export class UpdateRig {
  readonly #options: RigOptions;
  #device: UpdateDevice;
  #nonce = 0;
  #turnsOfBoot = 0;
  nowMs = 0xffff_f000;
  booted: BootedModule;
  boots = 0;
  /** The last state that the cloud heard. */
  state: FlashStateFrame | undefined;
  #down: FlashCommandFrame[] = [];
  #silent = 0;

  constructor(options: RigOptions) {
    this.#options = options;
    this.#device = this.#make();
    this.booted = this.#boot();
  }

  /** Say something as the cloud, once. */
  say(frame: FlashCommandFrame): void {
    this.#down.push(frame);
  }

  /** Say it once all that was said before is done, and run until it is answered, or `turns` have passed. */
  tell(frame: FlashCommandFrame, turns = 200): FlashStateFrame | undefined {
    this.#down = [];
    for (let turn = 0; turn < SETTLED; turn++) this.turn();
    this.state = undefined;
    this.say(frame);
    for (let turn = 0; turn < turns && this.state === undefined; turn++) this.turn();
    return this.state;
  }

  get nonce(): number {
    return this.#nonce;
  }

  get record() {
    return this.#device.record;
  }

  /** Cut the power here and now. */
  reset(): void {
    this.#device = this.#make();
    this.booted = this.#boot();
  }

  /** One turn of the device's loop; a cut of the power in it is a new boot. */
  turn(): void {
    this.nowMs = (this.nowMs + TURN_MS) >>> 0;
    try {
      this.#turn();
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
      this.#options.flash.cut = undefined;
      this.reset();
    }
  }

  /**
   * Update the device as a cloud does.
   *
   * @returns how it ended; "stuck" after `turns`
   */
  update(update: UpdatePackage, turns = 20_000): "confirmed" | "back" | "refused" | "stuck" {
    const { version } = update;
    let isActivated = false;
    let repeats = 0;
    this.say({ kind: "flash", op: "ask", nonce: this.#nonce });
    for (let turn = 0; turn < turns; turn++) {
      const before = this.state;
      this.turn();
      this.#silent = this.state === before ? this.#silent + 1 : 0;
      if (this.#silent >= PATIENCE) {
        this.#silent = 0;
        this.say({ kind: "flash", op: "ask", nonce: this.#nonce });
      }
      const { state } = this;
      if (state === undefined || state === before || state.nonce !== this.#nonce) continue;
      const isOurs = state.sid === update.sid;
      const runs = state.running.version === version && state.running.slot !== BUILT_IN;
      if (isActivated && runs && state.phase === "idle" && state.verdict === 0) return "confirmed";
      if (isActivated && isOurs && state.phase === "idle" && state.verdict !== 0) return "back";
      if (isOurs && state.phase === "idle" && state.verdict !== 0 && repeats++ > 2) return "refused";
      if (state.phase === "switching") isActivated = true;
      const answer = this.#answer(update, state, isOurs);
      if (answer !== undefined) this.say(answer);
    }
    return "stuck";
  }

  #answer(update: UpdatePackage, state: FlashStateFrame, isOurs: boolean): FlashCommandFrame | undefined {
    const { sid } = update;
    const nonce = this.#nonce;
    if (!isOurs && state.phase !== "trying") return beginFrame(update, nonce);
    switch (state.phase) {
      case "idle":
        return beginFrame(update, nonce);
      case "receiving":
        return state.next < update.body.length
          ? chunkFrame(update, state.next, state.chunkBytes, nonce)
          : { kind: "flash", op: "end", nonce, sid };
      case "ready":
        return { kind: "flash", op: "activate", nonce, sid };
      case "trying":
        return this.#options.isConfirmed === false ? undefined : { kind: "flash", op: "confirm", nonce, sid };
      default:
        return undefined;
    }
  }

  #make(): UpdateDevice {
    const { flash, key, builtIn } = this.#options;
    return new UpdateDevice({
      machine: UPDATE_WASM,
      store: flash,
      keys: [key.trusted],
      builtIn,
      confirmMs: CONFIRM_MS,
      chunkBytes: 128,
    });
  }

  /** A cut in the boot itself is another boot. */
  #boot(): BootedModule {
    const { flash, onBoot } = this.#options;
    for (;;) {
      this.#nonce = (this.#nonce + 1) >>> 0;
      this.#turnsOfBoot = 0;
      this.boots += 1;
      this.#down = [];
      flash.guarded = new Set();
      try {
        const booted = this.#device.boot(this.#nonce, this.nowMs);
        flash.guarded = new Set(booted.isTrying ? [0, 1] : [booted.slot]);
        onBoot?.(booted);
        return booted;
      } catch (error) {
        if (!(error instanceof PowerCut)) throw error;
        flash.cut = undefined;
        this.#device = this.#make();
      }
    }
  }

  #turn(): void {
    const { wire = (message) => [message], isConfirmed = true, trapsAfter } = this.#options;
    this.#turnsOfBoot += 1;
    if (this.booted.isTrying && this.#turnsOfBoot === trapsAfter) {
      this.#device.trapped("trapped");
      this.booted = this.#boot();
      return;
    }
    const frame = this.#down.shift();
    if (frame !== undefined) for (const message of wire(encodeFrame(frame))) this.#device.receive(message, this.nowMs);
    if (isConfirmed) this.#device.acknowledged(8);
    if (this.#device.act(this.nowMs) === "restart") {
      this.booted = this.#boot();
      return;
    }
    // A trial that is kept has a free slot again.
    if (!this.record.triedSlot && this.booted.isTrying) {
      this.booted = { ...this.booted, isTrying: this.record.triedSlot !== undefined };
      this.#options.flash.guarded = new Set([this.booted.slot]);
    }
    const up = this.#device.poll();
    if (up === undefined) return;
    for (const message of wire(up)) this.#hear(message);
  }

  #hear(message: Uint8Array): void {
    try {
      const frame = decodeFrame(message);
      if (frame.kind === "flash" && frame.op === "state") this.state = frame;
    } catch {
      // Damaged on its way: as lost.
    }
  }
}
