import { crc32 } from "node:zlib";
import { FLASH_VERDICTS, type FlashStateFrame, MAX_CHUNK_BYTES } from "@lockstep/protocol";
import type { Clock, Timer } from "../clock.ts";

import type { DeviceDoor, FlashCommand } from "./device-door.ts";
import { RetryPace } from "./retry-pace.ts";
import { fitsBeside, type UpdatePackage } from "./update-package.ts";
import { isOver, type UpdateRecord, type UpdateStep } from "./update-record.ts";
import { verdictName, verdictText } from "./verdict-text.ts";

/** Frames of the new epoch that must be durable before a device is told to keep what it tries. */
export const CONFIRM_FRAMES = 8;
/** A device that is reached and answers nothing for so long takes no updates, or not any more. */
const NO_ANSWER_MS = 600_000;
/** A device that is away for so long is given up; it keeps what it has, and another update goes on from there. */
const OFFLINE_MS = 3_600_000;
/** While it erases, checks or restarts it is asked at first after so long, ms, and then more and more rarely. */
const POLL_MS = 250;
const LONGEST_POLL_MS = 5_000;
/** While the new one is tried its frames say how it goes; this only finds out that it went back. */
const TRYING_POLL_MS = 15_000;
/** Answers after which a device that was told to switch and says nothing of it has gone back. */
const SILENT_ANSWERS = 3;
const MOST_BEGINS = 8;
/** Answers after which a refusal is one of this offer, and not of what was there before; and after which busy is for good. */
const SURE_ANSWERS = 3;
const BUSY_ANSWERS = 20;
/** Bytes sent for each byte of the body at most, beside some for small ones: a device that asks for more gets nowhere. */
const MOST_REPEATS = 8;
const FREE_REPEAT_BYTES = 65_536;

/** What an update of one device needs around it. */
export interface DeviceUpdateOptions {
  readonly packages: readonly UpdatePackage[];
  readonly door: DeviceDoor;
  readonly clock: Clock;
  /** Changed in place. */
  readonly record: UpdateRecord;
  /** Told after a step, which should be kept, and after mere progress, which need not. */
  changed(what: "step" | "progress"): void;
}

/**
 * Brings a package to one device, driven by what the device says of itself:
 *
 *     ask ──▶ begin ──▶ chunk … chunk ──▶ end ──▶ activate ──▶ [it restarts, births] ──▶ 8 frames durable ──▶ confirm ──▶ done
 *      │        └─ refused: failed         └─ refused: failed    └─ went back: reverted
 *      └─ after every silence, birth, restart of either end: its state says where to go on
 *
 * One command is under way at a time, and said again until it is answered.
 */
export class DeviceUpdate {
  readonly #options: DeviceUpdateOptions;
  readonly #pace: RetryPace;
  #state: FlashStateFrame | undefined;
  #sent: { readonly command: FlashCommand; readonly key: string } | undefined;
  #timer: Timer | undefined;
  #offline: Timer | undefined;
  #heardMs: number;
  #begins = 0;
  #sentBytes = 0;
  #pollMs = POLL_MS;
  #silentAnswers = 0;
  #refusals = 0;
  /** The verdict of the last state is about an earlier try of the same package. */
  #isVerdictOld = false;
  #isClosed = false;

  constructor(options: DeviceUpdateOptions) {
    this.#options = options;
    this.#pace = new RetryPace(options.clock);
    this.#heardMs = options.clock.nowMs();
  }

  get isOver(): boolean {
    return isOver(this.#record.step);
  }

  /** Begin, or go on after a restart of the node. */
  start(): void {
    if (this.isOver) return;
    if (this.#record.step === "queued") this.#step("asking");
    this.connected();
  }

  /** The device is there, or has begun another boot. */
  connected(): void {
    if (this.isOver || this.#isClosed || this.#record.step === "queued") return;
    this.#state = undefined;
    this.#heardMs = this.#options.clock.nowMs();
    this.#offline?.cancel();
    this.#offline = undefined;
    this.#say({ op: "ask" }, "ask");
  }

  /** There is no way to the device for now. */
  disconnected(): void {
    if (this.isOver || this.#isClosed) return;
    this.#timer?.cancel();
    this.#sent = undefined;
    this.#offline ??= this.#options.clock.setTimer(() => {
      this.#end("failed", "offline", "it was out of reach for an hour; start the update again when it is back");
    }, OFFLINE_MS);
    if (this.#record.isCancelling) this.#cancelled();
  }

  /** More of its frames are durable. */
  confirmed(): void {
    if (this.#record.step === "trying" && this.#state?.phase === "trying" && this.#isProven())
      this.#follow(this.#state);
  }

  /** The device says where it stands. */
  heard(state: FlashStateFrame): void {
    if (this.isOver || this.#isClosed || this.#record.step === "queued") return;
    this.#heardMs = this.#options.clock.nowMs();
    this.#state = state;
    this.#pace.answered();
    const [before, beforeStep] = [this.#record.next, this.#record.step];
    const own = this.#own(state);
    if (own !== undefined) this.#record.next = Math.min(state.next, own.body.length);
    if (this.#record.next > before) this.#begins = 0;
    this.#follow(state);
    if (this.#record.next !== before && this.#record.step === beforeStep) this.#options.changed("progress");
  }

  /** Call it off. What the device tries it goes back from; what it has confirmed stays. */
  cancel(): void {
    if (this.isOver) return;
    const isReached = this.#options.door.boot(this.#record.device)?.isOnline === true;
    if (this.#record.reached === "nothing" || !isReached) {
      this.#cancelled();
      return;
    }
    this.#record.isCancelling = true;
    this.#options.changed("step");
    this.connected();
  }

  /** End without a word; a later start goes on. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#offline?.cancel();
  }

  get #record(): UpdateRecord {
    return this.#options.record;
  }

  #own(state: FlashStateFrame): UpdatePackage | undefined {
    return this.#options.packages.find(({ sid }) => sid === state.sid);
  }

  #follow(state: FlashStateFrame): void {
    const own = this.#own(state);
    if (state.phase !== "idle") this.#isVerdictOld = false;
    if (state.phase === "idle") this.#idle(state, own);
    else if (own === undefined && this.#record.isCancelling) this.#cancelled();
    else if (own === undefined && state.phase === "trying") this.#busy();
    else if (own === undefined) this.#begin(state);
    else if (this.#record.isCancelling) this.#say({ op: "abort", sid: own.sid }, "abort");
    else if (state.phase === "receiving") this.#feed(state, own);
    else if (state.phase === "ready") this.#activate(own);
    else if (state.phase === "trying") this.#watch(own);
    else this.#wait(state);
  }

  /** It erases, checks, or restarts. */
  #wait({ phase }: FlashStateFrame): void {
    if (phase === "verifying" || phase === "switching") this.#step(phase);
    this.#poll(this.#pollMs);
    this.#pollMs = Math.min(1.5 * this.#pollMs, LONGEST_POLL_MS);
  }

  /** It runs something, and nothing is under way. */
  #idle(state: FlashStateFrame, own: UpdatePackage | undefined): void {
    const { running, confirmedVersion, verdict, detail } = state;
    const isRunning = this.#options.packages.some(
      ({ manifest: { model, version, form } }) =>
        running.model === model && running.version === version && running.form === form && confirmedVersion >= version,
    );
    const isRefusal = own !== undefined && verdict !== 0;
    if (isRunning) this.#end("done", null, "it runs the new one, and has confirmed it");
    else if (this.#record.isCancelling) this.#cancelled();
    else if (this.#record.reached === "activated") this.#wentBack(isRefusal ? state : undefined);
    else if (this.#record.reached === "begun" && isRefusal && !this.#isVerdictOld) {
      this.#end("failed", verdictName(verdict), verdictText(verdict, detail));
    } else {
      // What it said of this very package before it was offered again says nothing about this time.
      this.#isVerdictOld = isRefusal && this.#record.reached === "nothing";
      this.#begin(state);
    }
  }

  /** It was told to switch, and runs what it ran before. @param state  that says why, if it does */
  #wentBack(state: FlashStateFrame | undefined): void {
    this.#silentAnswers += 1;
    if (state !== undefined) {
      this.#end("reverted", verdictName(state.verdict), verdictText(state.verdict, state.detail));
    } else if (this.#silentAnswers >= SILENT_ANSWERS) {
      this.#end("reverted", "none", "it runs the old one again, and gave no reason");
    } else {
      this.#poll(LONGEST_POLL_MS);
    }
  }

  #begin(state: FlashStateFrame): void {
    if (this.#sent?.key === "begin") {
      this.#refusedBeside(state);
      return;
    }
    const chosen = this.#options.packages.find(({ manifest }) => fitsBeside(manifest, state.running.slot));
    this.#begins += 1;
    if (chosen === undefined || this.#begins > MOST_BEGINS) {
      const [verdict, reason] =
        chosen === undefined
          ? ["wrong-slot", `slot ${state.running.slot} runs now: give the other slot's image`]
          : ["no-progress", `it began ${MOST_BEGINS} times, and never went on: look at its flash`];
      this.#end("failed", verdict, reason);
      return;
    }
    // One that restarted is offered it again, and may have it already: that is no step back.
    if (this.#record.reached === "nothing") this.#step("sending");
    this.#record.reached = "begun";
    this.#record.next = 0;
    this.#record.length = chosen.body.length;
    const { manifestBytes: manifest, algorithm, keyId: key, signature } = chosen;
    this.#say({ op: "begin", manifest, algorithm, key, signature }, "begin");
  }

  /** It was offered the package, and stays with another one that it was given before. */
  #refusedBeside({ phase, verdict, detail }: FlashStateFrame): void {
    if (phase === "idle" || verdict === 0) return;
    this.#refusals += 1;
    const isBusy = FLASH_VERDICTS[verdict] === "busy";
    if (this.#refusals < (isBusy ? BUSY_ANSWERS : SURE_ANSWERS)) return;
    this.#end("failed", verdictName(verdict), verdictText(verdict, detail));
  }

  #feed(state: FlashStateFrame, own: UpdatePackage): void {
    const { body, sid } = own;
    this.#pollMs = POLL_MS;
    this.#record.reached = "begun";
    this.#record.length = body.length;
    this.#step("sending");
    const offset = state.next;
    if (offset >= body.length) {
      this.#say({ op: "end", sid }, "end");
      return;
    }
    const isBad = FLASH_VERDICTS[state.verdict] === "bad-chunk";
    const key = `chunk ${offset}`;
    if (this.#sent?.key === key && !isBad) return;
    const data = body.subarray(offset, offset + Math.min(state.chunkBytes, MAX_CHUNK_BYTES));
    if (this.#sentBytes > MOST_REPEATS * body.length + FREE_REPEAT_BYTES) {
      this.#end("failed", "no-progress", `it asked for the same bytes again and again, from byte ${offset}`);
      return;
    }
    if (this.#sent?.key === key) this.#sent = undefined;
    this.#sentBytes += data.length;
    this.#say({ op: "chunk", sid, offset, data, crc: crc32(data) }, key);
  }

  #activate({ sid }: UpdatePackage): void {
    if (this.#record.reached !== "activated") {
      this.#record.reached = "activated";
      this.#record.epochBefore = this.#options.door.boot(this.#record.device)?.epoch ?? null;
      this.#step("switching");
    }
    this.#say({ op: "activate", sid }, "activate");
  }

  #watch({ sid }: UpdatePackage): void {
    this.#record.reached = "activated";
    this.#step("trying");
    if (this.#isProven()) this.#say({ op: "confirm", sid }, "confirm");
    else this.#poll(TRYING_POLL_MS);
  }

  /** Whether enough of the new one's frames are here, decoded with the new module and durable. */
  #isProven(): boolean {
    const boot = this.#options.door.boot(this.#record.device);
    const model = this.#options.packages[0]?.manifest.model;
    const isNew = boot !== undefined && boot.model === model && boot.epoch !== this.#record.epochBefore;
    return isNew && boot.confirmed >= CONFIRM_FRAMES;
  }

  #busy(): void {
    this.#end("failed", "busy", verdictText(FLASH_VERDICTS.indexOf("busy"), 0));
  }

  #cancelled(): void {
    const told = this.#record.reached === "nothing" ? "before anything was sent" : "it keeps what it runs";
    this.#end("cancelled", null, `called off; ${told}`);
  }

  /** Send a command, unless it is the one that waits for its answer, and again until it has one. */
  #say(command: FlashCommand, key: string): void {
    if (this.#sent?.key === key && key !== "ask") return;
    this.#timer?.cancel();
    this.#sent = { command, key };
    this.#pace.started();
    this.#repeat();
  }

  #repeat(): void {
    const { door, clock } = this.#options;
    const sent = this.#sent;
    if (sent === undefined || this.isOver || this.#isClosed) return;
    if (clock.nowMs() - this.#heardMs > NO_ANSWER_MS) {
      this.#end("failed", "no-answer", "it is there, and answered nothing for ten minutes: can it be updated at all?");
    } else if (door.send(this.#record.device, sent.command)) {
      this.#timer = clock.setTimer(() => this.#repeat(), this.#pace.nextMs());
    } else {
      this.disconnected();
    }
  }

  /** Ask again after some time. */
  #poll(delayMs: number): void {
    this.#timer?.cancel();
    this.#sent = undefined;
    this.#timer = this.#options.clock.setTimer(() => this.#say({ op: "ask" }, "ask"), delayMs);
  }

  #step(step: UpdateStep): void {
    if (this.#record.step === step) return;
    this.#record.step = step;
    this.#options.changed("step");
  }

  #end(step: UpdateStep, verdict: string | null, reason: string): void {
    if (this.isOver) return;
    this.#timer?.cancel();
    this.#offline?.cancel();
    this.#sent = undefined;
    Object.assign(this.#record, { verdict, reason, endedUs: this.#options.clock.unixUs(), isCancelling: false });
    this.#step(step);
  }
}
