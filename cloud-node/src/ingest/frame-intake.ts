import {
  type DownlinkFrame,
  decodeFrame,
  encodeFrame,
  type FlashStateFrame,
  type FragmentFrame,
  FrameError,
  type JobFrame,
  MAX_FRAME_BYTES,
  Reassembler,
  type UplinkFrame,
} from "@lockstep/protocol";
import type { Counters } from "../counters.ts";
import type { DeviceLink, DeviceTwin } from "../reconstructor/device-twin.ts";
import type { TwinRegistry } from "../reconstructor/twin-registry.ts";
import { isOfAnother, type OpenedFrame, type SealGuard } from "./seal-guard.ts";

/** One connection, or one device's topics: where frames come from and where answers go. */
export interface FrameSource {
  readonly link: DeviceLink;
  /** Who speaks here: named by the topic, or by the first birth on a connection. */
  device: string | undefined;
  /** The transport has made sure of that: by a log-in, by a certificate, or because it is this very process. */
  readonly isKnown?: boolean | undefined;
  /** A program speaks here that may use jobs: it has no birth. */
  hasJobs?: boolean;
  /** Pieces of frames longer than the link's messages. */
  readonly fragments: Reassembler;
  /**
   * For a line, which has no connections: a device that is in mid-sentence is known by a status of its boot, and a birth
   * with another name means that another device is there now. Elsewhere both are refused.
   */
  readonly line?: { replaced(source: FrameSource): void };
}

/** A source of which nothing is known yet, but for what is given. */
export function frameSource(
  link: DeviceLink,
  known: Partial<Pick<FrameSource, "device" | "line" | "isKnown">> = {},
): FrameSource {
  return { link, device: undefined, fragments: new Reassembler(), ...known };
}

/** Kinds that never come up; those between workers come by no way of the node's. */
const KINDS_ELSEWHERE: ReadonlySet<string> = new Set(["ack", "resync", "welcome", "refusal", "result", "exchange"]);

/** Who updates devices, and hears what they say about it. */
export interface UpdateEar {
  heard(device: string, state: FlashStateFrame): void;
}

/** Who takes what is said of jobs; a desk over a queue does. */
export interface JobEar {
  heard(frame: JobFrame, source: FrameSource): void;
  /** Answer somebody who may not use jobs. */
  turnAway(frame: JobFrame, source: FrameSource): void;
  /** @param nonce  only where this is the one that is gone @returns whether there was anything to end */
  gone(source: FrameSource, nonce?: number): boolean;
  /** Forget everybody who may not use jobs any more. */
  review(mayUseJobs: (device: string | undefined) => boolean): void;
}

/** Who may speak, and how much; a gate over the device book is one. */
export interface IntakeGate {
  /** Everybody may speak. */
  readonly isOpen: boolean;
  admits(device: string, isKnown: boolean): boolean;
  /** @param device  undefined: it has said no name */
  mayUseJobs(device: string | undefined, isKnown: boolean): boolean;
  /** Account for a message. @param device  as it is known here, or where it speaks @returns which of its limits it is over */
  over(device: object, bytes: number): "frames" | "bytes" | undefined;
}

/** A frame that may be believed, and may come from a device. */
interface TakenFrame extends OpenedFrame {
  readonly frame: UplinkFrame;
}

/** Who else hears of frames, or judges them. */
export interface IntakeParts {
  readonly updates?: UpdateEar | undefined;
  /** Nothing: what is said of jobs goes nowhere. */
  readonly jobs?: JobEar | undefined;
  /** Nothing: everybody may speak, and as much as they like. */
  readonly gate?: IntakeGate | undefined;
  /** Of devices that have keys; none where nobody has. */
  readonly guard?: SealGuard | undefined;
}

/** The one path from bytes to twins: rate, size, form, seal, book; what does not pass is counted and goes no further. */
export class FrameIntake {
  readonly #registry: TwinRegistry;
  readonly #counters: Counters;
  readonly #updates: UpdateEar | undefined;
  readonly #jobs: JobEar | undefined;
  readonly #gate: IntakeGate | undefined;
  readonly #guard: SealGuard | undefined;
  #isStopped = false;

  constructor(registry: TwinRegistry, counters: Counters, { updates, jobs, gate, guard }: IntakeParts = {}) {
    this.#registry = registry;
    this.#counters = counters;
    this.#updates = updates;
    this.#jobs = jobs;
    this.#gate = gate;
    this.#guard = guard;
  }

  /** A frame as it goes down to the device of a source: sealed, where that has a key. */
  encode(frame: DownlinkFrame, { device }: Pick<FrameSource, "device">): Uint8Array {
    return this.#guard?.seal(frame, device) ?? encodeFrame(frame);
  }

  /** Take nothing more in: devices keep what they were not told is stored. */
  stop(): void {
    this.#isStopped = true;
  }

  /**
   * Take one message.
   *
   * @param bytes  not changed by anyone from now on
   * @param isLive  false for what a broker kept: it says nothing about now
   */
  receive(bytes: Uint8Array, source: FrameSource, isLive = true): void {
    if (this.#isStopped) return;
    const twin = source.device === undefined ? undefined : this.#registry.get(source.device);
    // What anybody may say in the name of a device costs that device nothing.
    if (this.#isOver(twin !== undefined && source.isKnown === true ? twin : source, bytes, twin)) return;
    if (twin !== undefined) {
      twin.traffic.messages += 1;
      twin.traffic.frameBytes += bytes.length;
    }
    const taken = this.#open(bytes, source, twin);
    if (taken === undefined || this.#isOverProven(taken, source)) return;
    if (taken.frame.kind !== "fragment") {
      this.#route(taken, taken.frame, source, isLive);
      return;
    }
    if (!this.#mayCollect(source)) {
      this.#refuse("early-fragment", undefined);
      return;
    }
    const whole = this.#reassemble(taken.frame, source, twin);
    const inner = whole === undefined ? undefined : this.#open(whole, source, twin);
    if (inner === undefined || this.#isOverProven(inner, source)) return;
    if (inner.frame.kind === "fragment") this.#refuse("nested-fragment", twin);
    else this.#route(inner, inner.frame, source, isLive);
  }

  /** Nobody is there any more. */
  gone(source: FrameSource): void {
    this.#jobs?.gone(source);
  }

  /** Who may speak, or use jobs, has changed. */
  review(): void {
    this.#jobs?.review((device) => this.#gate?.mayUseJobs(device, true) !== false);
  }

  #route(
    { bytes, device }: TakenFrame,
    frame: Exclude<UplinkFrame, FragmentFrame>,
    source: FrameSource,
    isLive: boolean,
  ): void {
    if (isOfAnother(frame, source)) {
      this.#refuse("other-device", undefined);
      return;
    }
    if (frame.kind === "job") {
      this.#job(frame, source, device, isLive);
      return;
    }
    if (!this.#isAdmitted(frame, source, device)) {
      this.#refuse("not-admitted", undefined);
      const isAsking = isLive && (frame.kind === "birth" || frame.kind === "status");
      if (isAsking) source.link.send({ kind: "refusal", nonce: frame.nonce, reason: "unknown-device" });
      return;
    }
    const isGoodBye = frame.kind === "presence" && !frame.online && isLive;
    // Of a program that has jobs and nothing else no twin is told.
    if (isGoodBye && this.#jobs?.gone(source, frame.nonce) && !this.#isTwin(source.device)) return;
    if (frame.kind === "birth") {
      if (source.device !== undefined && source.device !== frame.device) source.line?.replaced(source);
      source.device = frame.device;
      this.#registry.admit(frame.device).born(frame, bytes, source.link, isLive);
      return;
    }
    let twin = source.device === undefined ? this.#recognise(frame, source, device) : this.#registry.get(source.device);
    if (twin === undefined && device !== undefined) {
      // Known by its key alone: what is answered is for it.
      source.device = device;
      twin = this.#registry.get(device);
    }
    if (twin === undefined) {
      this.#refuse("unknown-device", undefined);
      if (frame.kind === "status") source.link.send({ kind: "refusal", nonce: frame.nonce, reason: "unknown-device" });
      return;
    }
    if (frame.kind === "presence") twin.presence(frame);
    else if (frame.kind === "status") twin.status(frame, source.link);
    else if (frame.kind === "flash") this.#state(frame, twin, source);
    else twin.receive(frame, bytes, source.link);
  }

  /** Account for a message. @param payer  whose allowance it is @param twin  who is told @returns whether it is over */
  #isOver(payer: object, bytes: Uint8Array, twin: DeviceTwin | undefined): boolean {
    const limit = this.#gate?.over(payer, bytes.length);
    // Nothing of it is acknowledged, so it comes again.
    if (limit !== undefined) this.#refuse(`over-${limit}`, twin);
    return limit !== undefined;
  }

  /** Account for a frame that its MAC proved to be of a device, where the transport had not. */
  #isOverProven({ device, bytes }: TakenFrame, { isKnown }: FrameSource): boolean {
    const twin = device === undefined || isKnown === true ? undefined : this.#registry.get(device);
    return twin !== undefined && this.#isOver(twin, bytes, twin);
  }

  /** Whether pieces of frames are kept: of a stranger's none are, unless on a line, of which there are few. */
  #mayCollect({ device, line }: FrameSource): boolean {
    return device !== undefined || line !== undefined || this.#gate?.isOpen !== false;
  }

  /** @param proven  whose MAC the frame has */
  #isAdmitted(
    frame: Exclude<UplinkFrame, FragmentFrame | JobFrame>,
    source: FrameSource,
    proven: string | undefined,
  ): boolean {
    const device = proven ?? (frame.kind === "birth" ? frame.device : source.device);
    if (this.#gate === undefined || device === undefined) return true;
    // The broker's last word about a device that was revoked: it is not there any more.
    const isGone = frame.kind === "presence" && !frame.online && source.isKnown;
    return isGone || this.#gate.admits(device, proven !== undefined || source.isKnown === true);
  }

  /** What is said of jobs: it goes to whoever has a queue. @param proven  whose MAC the frame has */
  #job(frame: JobFrame, source: FrameSource, proven: string | undefined, isLive: boolean): void {
    const device = proven ?? source.device;
    const twin = device === undefined ? undefined : this.#registry.get(device);
    const isKnown = proven !== undefined || source.isKnown === true;
    if (!isLive) this.#refuse("retained-job", twin);
    else if (twin?.boots.isOver(frame.nonce) === true) this.#refuse("stale-job", twin);
    else if (this.#jobs === undefined) this.#refuse("no-jobs", twin);
    else if (this.#gate?.mayUseJobs(device, isKnown) === false) this.#jobs.turnAway(frame, source);
    else {
      source.hasJobs = true;
      this.#jobs.heard(frame, source);
    }
  }

  #isTwin(device: string | undefined): boolean {
    return device !== undefined && this.#registry.get(device) !== undefined;
  }

  /** What a device says of its updater: it goes to whoever updates it, past the frames that are stored. */
  #state(frame: FlashStateFrame, twin: DeviceTwin, source: FrameSource): void {
    if (twin.isOfThisBoot(frame, source.link)) this.#updates?.heard(twin.id, frame);
    else this.#refuse("stale-state", twin);
  }

  /** The device on a line whose birth was heard before this node started, or before the line was cut. @param proven  whose MAC the frame has */
  #recognise(frame: UplinkFrame, source: FrameSource, proven: string | undefined): DeviceTwin | undefined {
    if (source.line === undefined || frame.kind !== "status") return undefined;
    const twin = this.#registry.byBoot(frame.nonce, frame.epoch);
    if (twin === undefined) return undefined;
    const isKnown = proven === twin.id || source.isKnown === true;
    if (this.#gate?.admits(twin.id, isKnown) === false) return undefined;
    source.device = twin.id;
    twin.presence({ kind: "presence", nonce: frame.nonce, online: true });
    return twin;
  }

  #open(bytes: Uint8Array, source: FrameSource, twin: DeviceTwin | undefined): TakenFrame | undefined {
    if (bytes.length > MAX_FRAME_BYTES) {
      this.#refuse("too-large", twin);
      return undefined;
    }
    try {
      const opened = this.#guard?.open(bytes, source) ?? { frame: decodeFrame(bytes), bytes };
      if ("refusal" in opened) {
        this.#counters.add(`refused.${opened.refusal}`);
        return undefined;
      }
      const { frame } = opened;
      if (isUplink(frame)) return { ...opened, frame };
      this.#refuse("wrong-direction", twin);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#refuse(error.code, twin);
    }
    return undefined;
  }

  #reassemble(fragment: FragmentFrame, source: FrameSource, twin: DeviceTwin | undefined): Uint8Array | undefined {
    try {
      return source.fragments.push(fragment);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#refuse(error.code, twin);
      return undefined;
    }
  }

  #refuse(code: string, twin: DeviceTwin | undefined): void {
    this.#counters.add(`refused.${code}`);
    if (twin !== undefined) twin.report.refused += 1;
  }
}

function isUplink(frame: ReturnType<typeof decodeFrame>): frame is UplinkFrame {
  return frame.kind === "flash" ? frame.op === "state" : !KINDS_ELSEWHERE.has(frame.kind);
}
