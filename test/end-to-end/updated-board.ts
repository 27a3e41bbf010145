import { crc32 } from "node:zlib";
import {
  decodeFrame,
  encodeFrame,
  encodeSerialFrame,
  type FlashStateFrame,
  type Frame,
  SerialDeframer,
} from "@lockstep/protocol";
import type { FirmwareBoard } from "@lockstep/sim";
import { elfProgram, type FirmwarePort, openPort } from "qemu-wasm-runner";
import { type ConfirmedRow, RawCloud } from "../conformance/raw-cloud.ts";
import type { VersionedPackage } from "./update-package.ts";

/** What an update came to. */
export interface UpdateOutcome {
  /** null: it runs, confirmed. */
  readonly verdict: number | null;
  readonly detail: number;
  readonly state: FlashStateFrame;
}

/** How it is driven. */
export interface UpdateManner {
  /** Frames of the new epoch before it is confirmed; never, for a device that must go back. */
  readonly confirmAfter?: number;
  /** Called with every state, before it is answered. */
  readonly onState?: (state: FlashStateFrame) => void;
  /** Of the messages about updates, in both directions, the one after which power fails: QEMU is killed. */
  readonly cutAfter?: number;
  /** It was begun at an earlier start of QEMU, and may be over. */
  readonly isBegun?: boolean;
}

/** Power failed where it was to. */
export class PowerFailed extends Error {
  override readonly name = "PowerFailed";
}

/** How long an answer may take before the same is asked again. */
const AGAIN_MS = 400;
const PATIENCE = 200;
/** The board's clock goes by what it executes: on a busy machine it gets slower, and misses no reading for want of a core. */
const SLOWED = ["-icount", "shift=0,sleep=on"];

/**
 * An updatable board under QEMU with a small cloud at its line, which takes every frame, acknowledges it, and drives
 * updates. The board may restart at any time; its flash is a file.
 */
export class UpdatedBoard {
  /** Rows that were acknowledged, of all boots, in order. */
  readonly rows: ConfirmedRow[] = [];
  /** Boots so far, by the births of new nonces. */
  boots = 0;
  state: FlashStateFrame | undefined;
  /** What the board says of its samples is lost on its way, and not acknowledged. */
  isDeaf = false;
  readonly #port: FirmwarePort;
  readonly #deframer = new SerialDeframer();
  readonly #ended: Promise<{ exitCode: number | null }> | undefined;
  readonly #cloud = new RawCloud();
  #epoch = 0;
  #nonce: number | undefined;
  #epochFrames = 0;
  /** Every boot is asked how it stands. */
  #isDriving = false;
  #messages = 0;
  #cutAfter: number | undefined;
  #isStopped = false;
  /** The board has nothing to be told before it has sent frames. */
  #isWaiting = false;
  #news: () => void = () => {};

  private constructor(port: FirmwarePort) {
    this.#port = port;
    this.#ended = port.port?.link.ended;
    port.on("error", () => {});
    port.on("data", (chunk: Buffer) => {
      for (const piece of this.#deframer.push(chunk)) if (piece instanceof Uint8Array) this.#take(piece);
    });
  }

  /** @param flash  the file behind its flash */
  static async start(board: FirmwareBoard, elf: string, flash: string): Promise<UpdatedBoard> {
    const extraArgs =
      board === "mps2-an386"
        ? [
            ...["-object", `memory-backend-file,id=flash,mem-path=${flash},size=16M,share=on`],
            ...["-machine", "memory-backend=flash"],
          ]
        : ["-drive", `if=pflash,unit=1,format=raw,file=${flash}`];
    return new UpdatedBoard(
      await openPort(elfProgram(elf, board), { extraArgs: [...extraArgs, "-action", "reboot=reset", ...SLOWED] }),
    );
  }

  /** End QEMU, as the power would. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    const pid = this.#port.port?.link.pid;
    if (pid !== undefined && this.#port.isOpen) process.kill(pid, "SIGKILL");
    await this.#ended;
  }

  /** How QEMU ended by itself; waits for it. */
  get ended(): Promise<{ exitCode: number | null }> | undefined {
    return this.#ended;
  }

  /** Frames of the running epoch that were acknowledged. */
  get epochFrames(): number {
    return this.#epochFrames;
  }

  /** Of the boot that runs. */
  get lastEpoch(): number {
    return this.#epoch;
  }

  /** Messages about updates so far, in both directions. */
  get messages(): number {
    return this.#messages;
  }

  /** Frames that the board gave up, of all epochs. */
  get gaps(): RawCloud["gaps"] {
    return this.#cloud.gaps;
  }

  /** Wait for news; false when none came for a while. */
  async hears(): Promise<boolean> {
    return new Promise((resolve) => {
      const late = setTimeout(() => resolve(false), AGAIN_MS);
      this.#news = () => {
        clearTimeout(late);
        resolve(true);
      };
    });
  }

  /** Wait until something holds. @throws {RangeError} when it does not for a long time */
  async until(isSo: () => boolean, what: string): Promise<void> {
    for (let silent = 0; !isSo(); ) {
      if (!(await this.hears())) silent += 1;
      await this.#failIfCut();
      if (silent > PATIENCE) throw new RangeError(`the board never came to: ${what}; ${JSON.stringify(this.state)}`);
    }
  }

  /** Send a message. */
  send(frame: Frame): void {
    if (!this.#port.isOpen) return;
    this.#port.write(encodeSerialFrame(encodeFrame(frame)));
    if (frame.kind === "flash") this.#count();
  }

  /** Ask for the state of this very moment. */
  async ask(): Promise<FlashStateFrame> {
    this.state = undefined;
    await this.until(() => {
      if (this.state !== undefined) return true;
      if (this.#nonce !== undefined) this.send({ kind: "flash", op: "ask", nonce: this.#nonce });
      return false;
    }, "a state");
    return this.state as unknown as FlashStateFrame;
  }

  /**
   * Drive an update to its end, through as many restarts as there are.
   *
   * @throws {PowerFailed} where that was to be, or `stop` was called
   */
  async update(given: VersionedPackage, manner: UpdateManner = {}): Promise<UpdateOutcome> {
    const { confirmAfter = 2, onState, cutAfter, isBegun = false } = manner;
    this.#isDriving = true;
    this.#messages = 0;
    this.#cutAfter = cutAfter;
    let silent = 0;
    let begun = 0;
    let turns = 0;
    let state: FlashStateFrame | undefined = await this.ask();
    for (;;) {
      onState?.(state);
      const isOurs = state.sid === given.sid;
      const isRunning = state.running.version === given.version;
      const isOver = begun > 0 || (isBegun && state.confirmedVersion >= given.version);
      if (isOurs && state.phase === "idle" && isRunning && state.verdict === 0 && isOver) return outcome(null, state);
      if (begun > 0 && isOurs && state.phase === "idle" && state.verdict !== 0) return outcome(state.verdict, state);
      this.#isWaiting = !this.#answer(given, state, confirmAfter, () => ++begun);
      if (!this.#isWaiting) turns += 1;
      this.state = undefined;
      while (this.state === undefined) {
        const hasHeard = await this.hears();
        await this.#failIfCut();
        if (hasHeard) {
          silent = 0;
          continue;
        }
        silent += 1;
        if (silent > PATIENCE) throw new RangeError(`no answer after ${turns} turns`);
        if (this.#nonce !== undefined) this.send({ kind: "flash", op: "ask", nonce: this.#nonce });
      }
      state = this.state as FlashStateFrame;
    }
  }

  /** Do what is next. */
  #answer(given: VersionedPackage, state: FlashStateFrame, confirmAfter: number, begins: () => number): boolean {
    const { manifest, algorithm, signature, key, sid, body } = given;
    const { nonce, phase, next } = state;
    const isOurs = state.sid === sid;
    if (phase === "trying" && isOurs) {
      begins();
      if (this.#epochFrames >= confirmAfter) this.send({ kind: "flash", op: "confirm", nonce, sid });
      else return false;
    } else if (phase === "receiving" && isOurs) {
      const data = body.subarray(next, next + state.chunkBytes);
      if (data.length === 0) this.send({ kind: "flash", op: "end", nonce, sid });
      else this.send({ kind: "flash", op: "chunk", nonce, sid, offset: next, data, crc: crc32(data) });
    } else if (phase === "ready" && isOurs) {
      this.send({ kind: "flash", op: "activate", nonce, sid });
    } else if (phase === "idle" || (phase === "receiving" && !isOurs)) {
      begins();
      this.send({ kind: "flash", op: "begin", nonce, manifest, algorithm, key, signature });
    } else {
      return false;
    }
    return true;
  }

  get #isCut(): boolean {
    return this.#isStopped || (this.#cutAfter !== undefined && this.#messages >= this.#cutAfter);
  }

  async #failIfCut(): Promise<void> {
    if (!this.#isCut) return;
    await this.#ended;
    throw new PowerFailed();
  }

  #count(): void {
    this.#messages += 1;
    if (this.#isCut && !this.#isStopped) void this.stop();
  }

  #take(message: Uint8Array): void {
    if (this.#isCut) return;
    const frame = decodeFrame(message);
    if (frame.kind === "flash") {
      this.#count();
      if (frame.op === "state" && frame.nonce === this.#nonce) this.state = frame;
    } else {
      if (this.isDeaf && frame.kind !== "birth") return;
      if (frame.kind === "birth" && frame.nonce !== this.#nonce) this.#isBorn(frame.nonce, frame.epoch);
      const before = this.#cloud.rows.length;
      for (const answer of this.#cloud.take(message)) this.#port.write(encodeSerialFrame(answer));
      if (this.#cloud.rows.length > before) {
        this.rows.push(...this.#cloud.rows.slice(before));
        if (this.rows.at(-1)?.epoch === this.#epoch) this.#epochFrames += 1;
        this.#port.write(encodeSerialFrame(this.#cloud.ackAll()));
        // Frames that come faster than AGAIN_MS would keep a driver that waits for silence from ever asking.
        if (this.#isWaiting && this.#nonce !== undefined) this.send({ kind: "flash", op: "ask", nonce: this.#nonce });
      }
    }
    this.#news();
  }

  /** Every boot is an epoch of its own, which it may name itself. */
  #isBorn(nonce: number, wished: number): void {
    this.#nonce = nonce;
    this.boots += 1;
    this.#epoch = Math.max(this.#epoch + 1, wished);
    this.#epochFrames = 0;
    this.#cloud.epoch = this.#epoch;
    if (this.#isDriving) this.send({ kind: "flash", op: "ask", nonce });
  }
}

function outcome(verdict: number | null, state: FlashStateFrame): UpdateOutcome {
  return { verdict, detail: state.detail, state };
}
