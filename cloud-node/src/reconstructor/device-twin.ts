import {
  type BirthFrame,
  birthHash,
  type DownlinkFrame,
  decodeFrame,
  expandSeq,
  type FlashCommandFrame,
  type FlashStateFrame,
  type HeartbeatFrame,
  matchEpoch,
  type PresenceFrame,
  type RefusalReason,
  type SequencedFrame,
  type StatusFrame,
} from "@lockstep/protocol";
import { unlessDamaged } from "../store/damage.ts";
import type { StoreError } from "../store/store-error.ts";
import { ackTimes } from "./ack-policy.ts";
import { type BirthPlan, planBirth } from "./birth-plan.ts";
import type { DeviceIdentity } from "./device-identity.ts";
import { newReport } from "./device-report.ts";
import { EpochGrants } from "./epoch-grants.ts";
import { Lane } from "./lane.ts";
import type { RefusedDevice } from "./refused-device.ts";
import type { RowBuffer } from "./row-buffer.ts";
import type { SealRefusal } from "./seal-refusal.ts";
import type { Settling } from "./settling.ts";
import { TrafficMeter } from "./traffic-meter.ts";
import type { TwinSurroundings } from "./twin-registry.ts";
import type { TransportKind, TwinView } from "./twin-view.ts";
import { viewTwin } from "./view-twin.ts";
import { WayBack } from "./way-back.ts";

/** The way back to a device: where its last birth or frame came from. */
export interface DeviceLink {
  readonly transport: TransportKind;
  send(frame: DownlinkFrame): void;
}

type WithoutNonce<F> = F extends unknown ? Omit<F, "nonce"> : never;

/** An epoch with more of them was never divided into stretches. */
const MOST_LOOSE_FRAMES = 5_000;
/** Epochs whose twins are kept in memory; a device drains the rings of earlier boots one after the other. */
const MAX_LANES = 3;

/**
 * One device: its births, its boots, and the lane that each boot's frames come in by.
 */
export class DeviceTwin {
  readonly id: string;
  readonly key: number;
  readonly traffic = new TrafficMeter();
  readonly report = newReport();
  readonly #identity: DeviceIdentity;
  readonly #around: TwinSurroundings;
  readonly #epochs: EpochGrants;
  readonly #plans = new Map<string, BirthPlan>();
  /** Stored births that cannot be decoded with, as far as is known. */
  readonly #unplanned = new Set<string>();
  readonly #lanes = new Map<number, Lane>();
  readonly #scratch: RowBuffer;
  readonly #way = new WayBack<DeviceLink>();

  constructor(identity: DeviceIdentity, around: TwinSurroundings) {
    this.id = identity.id;
    this.key = identity.key;
    this.#identity = identity;
    this.#around = around;
    this.#scratch = identity.rows;
    const hasFrames = (epoch: number) => this.#lane(epoch).confirmed > 0;
    this.#epochs = new EpochGrants(around.reader.epochs(identity.key), hasFrames);
  }

  /**
   * Take a birth; the answer goes out when what it promises is durable.
   *
   * @param isLive  false for one that a broker kept: the device may be long gone
   */
  born(birth: BirthFrame, bytes: Uint8Array, link: DeviceLink, isLive: boolean): void {
    const { commits, clock, modules, acks } = this.#around;
    this.#hear(link);
    if (this.#isUnstorable("births", commits.isFull)) return;
    const hash = birthHash(birth);
    const plan = this.#plans.get(hash) ?? planBirth(birth, modules);
    if (typeof plan === "string") {
      this.refuse(plan, birth.nonce);
      return;
    }
    const grant = this.#epochs.grant(birth.nonce, birth.epoch);
    if (grant === undefined) {
      this.refuse("bad-birth", birth.nonce);
      return;
    }
    this.#plans.set(hash, plan);
    this.#unplanned.delete(hash);
    this.report.refusal = undefined;
    const { epoch, isNew } = grant;
    if (isLive) this.#setOnline(true);
    commits.record({ table: "device", id: this.id, key: this.key });
    if (isNew) {
      // Kept with what it coded, so that a later release can still decode it.
      const wasm = modules.unkept(birth.model);
      if (wasm !== undefined) commits.record({ table: "module", hash: birth.model, wasm, source: "release" });
      this.#open(epoch, birth.nonce, hash);
      for (const lane of this.#lanes.values()) lane.superseded();
    }
    // Told only once it is written down: an epoch promised and forgotten could be promised again to another boot.
    commits.record({ table: "birth", device: this.key, hash, bytes }, () => {
      link.send({
        kind: "welcome",
        nonce: birth.nonce,
        epoch,
        through: this.#lane(epoch).confirmed,
        alias: this.#identity.alias,
        ackAgeMs: ackTimes(acks, birth).ageMs,
        timeUs: clock.unixUs(),
      });
      this.#around.emit({ kind: "born", device: this.id, epoch, isNewEpoch: isNew });
    });
    commits.hurry();
  }

  /** Take a sequenced frame. */
  receive(frame: SequencedFrame, bytes: Uint8Array, link: DeviceLink): void {
    const { counters, clock, commits, decoding } = this.#around;
    const nowMs = clock.nowMs();
    this.#hear(link);
    if (this.#isUnstorable("frames", commits.isFull || decoding?.isFull === true)) return;
    const epoch = frame.kind === "keyframe" ? frame.epoch : matchEpoch(frame.position, this.#epochs.numbers());
    const stored = epoch === undefined ? undefined : this.#epochs.get(epoch);
    if (epoch === undefined || stored === undefined || this.#plan(stored.birthHash) === undefined) {
      // Without its module nothing of an epoch may be judged, and least of all given up.
      counters.add(stored === undefined ? "frames.unknown-epoch" : "frames.unknown-model");
      this.report.refused += 1;
      return;
    }
    const lane = this.#lane(epoch);
    const seq = frame.kind === "keyframe" ? frame.seq : expandSeq(frame.position, lane.expected);
    this.traffic.payloadBytes += frame.kind === "heartbeat" ? 0 : frame.payload.length;
    if (frame.kind === "heartbeat") this.#hearTime(frame);
    // A heartbeat with nothing foreseen in it says that the device lives, and not what it measures.
    if (frame.kind !== "heartbeat" || frame.quiet > 0) this.report.lastDataUs = this.report.lastHeardUs;
    lane.receive(seq, frame, bytes, nowMs);
  }

  /** Take a status of this boot, about this epoch or one whose frames an earlier boot left in the ring. */
  status(frame: StatusFrame, link: DeviceLink): void {
    this.#hear(link);
    if (this.#isUnstorable("frames")) return;
    if (this.#nonce !== frame.nonce) {
      // A boot that was never born here: it has to say who it is.
      this.refuse("unknown-device", frame.nonce);
      return;
    }
    this.#hearTime(frame);
    if (this.#epochs.get(frame.epoch) === undefined) {
      if (frame.epoch > this.#epochs.newest) return;
      this.#open(frame.epoch, frame.nonce, this.#epochs.inForce?.birthHash ?? "");
    }
    if (this.#plan(this.#epochs.get(frame.epoch)?.birthHash ?? "") === undefined) {
      this.refuse("unknown-model");
      return;
    }
    this.#lane(frame.epoch).status(frame, this.#around.clock.nowMs());
  }

  /** Its boots: which is in force, and which are over. */
  get boots(): Pick<EpochGrants, "nonce" | "isOver" | "isProven" | "prove" | "revive"> {
    return this.#epochs;
  }

  /** Whether what comes of it is written down. */
  get isStored(): boolean {
    return this.isBorn && this.report.damage === undefined;
  }

  /** Whether it was ever taken in. */
  get isBorn(): boolean {
    return this.#epochs.inForce !== undefined;
  }

  /** Why it is not taken in, of a device that has no view. */
  get refused(): RefusedDevice | undefined {
    const { refusal, refusedSinceUs, lastHeardUs } = this.report;
    if (refusal === undefined || this.#newestPlan !== undefined) return undefined;
    return { id: this.id, reason: refusal, sinceUs: refusedSinceUs, lastHeardUs };
  }

  /** Whether this is the boot in force, and the epoch its own or one of those before it. */
  isBoot(nonce: number, epoch: number): boolean {
    return this.#nonce === nonce && this.#epochs.get(epoch) !== undefined;
  }

  /** Whether a state of the updater is of the boot in force; one of another says nothing about now. */
  isOfThisBoot({ nonce }: FlashStateFrame, link: DeviceLink): boolean {
    if (nonce === this.#nonce) this.#hear(link);
    return nonce === this.#nonce;
  }

  /** The boot in force, and how much of it is confirmed; undefined before the first birth, or where it cannot be decoded. */
  boot(): { isOnline: boolean; epoch: number; model: string; confirmed: number } | undefined {
    const stored = this.#epochs.inForce;
    const plan = this.#newestPlan;
    if (stored === undefined || plan === undefined) return undefined;
    const { epoch } = stored;
    return { isOnline: this.report.isOnline, epoch, model: plan.birth.model, confirmed: this.#lane(epoch).confirmed };
  }

  /** Say something to the boot in force about an update. @returns false when there is no way to it now */
  command(frame: WithoutNonce<FlashCommandFrame>): boolean {
    const nonce = this.#nonce;
    const { link } = this.#way;
    if (link === undefined || nonce === undefined || !this.report.isOnline) return false;
    link.send({ ...frame, nonce });
    return true;
  }

  /** Take a presence; one of an earlier boot says nothing about this one. */
  presence(frame: PresenceFrame): void {
    if (frame.nonce === this.#nonce) this.#setOnline(frame.online);
  }

  /** The connection that this device used is gone. */
  disconnected(link: DeviceLink): void {
    if (this.#way.gone(link)) this.#setOnline(false);
  }

  /** Tell a boot that nothing of it is taken, and why. */
  refuse(reason: RefusalReason, nonce: number | undefined = this.#nonce): void {
    if (this.report.refusal === undefined) this.report.refusedSinceUs = this.#around.clock.unixUs();
    this.report.refused += 1;
    this.report.refusal = reason;
    this.#around.counters.add(`refused.${reason}`);
    this.#around.emit({ kind: "refused", device: this.id, reason });
    if (nonce !== undefined) this.#way.link?.send({ kind: "refusal", nonce, reason });
  }

  /** A frame in its name is not believed. A device that was never born is shown as refused for it: there is nothing else to show. */
  distrust(reason: SealRefusal): void {
    this.report.refused += 1;
    if (this.isBorn || this.report.refusal !== undefined) return;
    const nowUs = this.#around.clock.unixUs();
    Object.assign(this.report, { refusal: reason, refusedSinceUs: nowUs, lastHeardUs: nowUs });
  }

  /** A part of the store is damaged, and nothing of the device can be written: it keeps what it was not told is stored. */
  damaged({ code, message }: StoreError): void {
    this.report.damage = message;
    for (const lane of this.#lanes.values()) lane.close(true);
    this.#around.emit({ kind: "store-damaged", device: this.id, code, message });
  }

  /** What is known of the device now; undefined before its first birth. */
  view(): TwinView | undefined {
    const [stored, plan] = [this.#epochs.inForce, this.#newestPlan];
    if (stored === undefined || plan === undefined) return undefined;
    const { clock } = this.#around;
    return viewTwin({
      id: this.id,
      plan,
      lane: this.#lane(stored.epoch),
      report: this.report,
      traffic: this.traffic,
      rows: this.#scratch,
      nowMs: clock.nowMs(),
    });
  }

  /**
   * Close what earlier boots left open while no node ran, and divide what an earlier release left whole, so that a read
   * replays little of it and retention can delete it. Where it is left off it can be gone on with.
   *
   * @returns gives how far it has come, after each part that is to be committed before the next
   */
  *settle(): Generator<Settling> {
    const { reader } = this.#around;
    for (const epoch of this.#epochs.numbers()) {
      const isOver = epoch !== this.#epochs.newest;
      const most = isOver ? 0 : MOST_LOOSE_FRAMES;
      const hasLoose = unlessDamaged(() => reader.hasLooseFrames(this.key, epoch, most)) ?? false;
      if (hasLoose && this.report.damage === undefined && this.#plan(this.#epochs.get(epoch)?.birthHash ?? "")) {
        const lane = this.#newLane(epoch);
        for (const frames of lane.rebuildInSteps(reader)) yield { device: this.id, epoch, frames };
        if (isOver) lane.finish();
        lane.close();
      }
    }
  }

  close(): void {
    for (const lane of this.#lanes.values()) lane.close();
  }

  get #newestPlan(): BirthPlan | undefined {
    const stored = this.#epochs.inForce;
    return stored === undefined ? undefined : this.#plan(stored.birthHash);
  }

  get #nonce(): number | undefined {
    return this.#epochs.nonce;
  }

  #isUnstorable(what: "births" | "frames", isFull = false): boolean {
    const isDamaged = this.report.damage !== undefined;
    if (isDamaged || isFull) this.#around.counters.add(`${what}.${isDamaged ? "store-damaged" : "back-pressure"}`);
    return isDamaged || isFull;
  }

  #hear(link: DeviceLink): void {
    const { clock } = this.#around;
    this.#way.heard(link);
    this.report.transport = link.transport;
    this.report.lastHeardUs = clock.unixUs();
    this.report.lastHeardMs = clock.nowMs();
  }

  #hearTime({ timeUs, ringFill }: HeartbeatFrame | StatusFrame): void {
    this.report.ringFill = ringFill / 1000;
    this.report.clockOffsetUs = timeUs - this.#around.clock.unixUs();
  }

  #setOnline(isOnline: boolean): void {
    if (this.report.isOnline === isOnline) return;
    this.report.isOnline = isOnline;
    this.#around.emit({ kind: isOnline ? "online" : "offline", device: this.id });
  }

  #open(epoch: number, nonce: number, hash: string): void {
    const openedUs = this.#around.clock.unixUs();
    this.#epochs.add({ epoch, nonce, birthHash: hash, openedUs });
    this.#around.commits.record({ table: "epoch", device: this.key, epoch, nonce, birthHash: hash, openedUs });
  }

  #lane(epoch: number): Lane {
    const known = this.#lanes.get(epoch);
    if (known !== undefined) return known;
    this.#dropIdleLanes();
    const lane = this.#newLane(epoch);
    lane.rebuild(this.#around.reader);
    this.#lanes.set(epoch, lane);
    return lane;
  }

  #newLane(epoch: number): Lane {
    const { commits, decoding, clock, acks, counters } = this.#around;
    const birth = this.#plan(this.#epochs.get(epoch)?.birthHash ?? "")?.birth;
    return new Lane(epoch, {
      device: this.id,
      key: this.key,
      plans: (hash) => this.#plan(hash),
      rows: this.#identity.rows,
      commits,
      decoding,
      clock,
      acks: ackTimes(acks, birth),
      counters,
      reply: (reply) => this.#way.link?.send({ ...reply, nonce: this.#nonce ?? 0 }),
      refuse: (reason) => this.refuse(reason),
      emit: (event) => {
        if (event.kind === "confirmed") {
          this.traffic.samples += event.samples;
          this.traffic.values += event.samples * (birth?.channels.length ?? 0);
        }
        this.#around.emit(event);
      },
    });
  }

  #dropIdleLanes(): void {
    for (const [epoch, lane] of this.#lanes) {
      if (this.#lanes.size < MAX_LANES) return;
      if (epoch === this.#epochs.inForce?.epoch || !lane.isIdle) continue;
      lane.close();
      this.#lanes.delete(epoch);
    }
  }

  #plan(hash: string): BirthPlan | undefined {
    const known = this.#plans.get(hash);
    if (known !== undefined) return known;
    if (this.#unplanned.has(hash)) return undefined;
    const bytes = this.#around.reader.birth(this.key, hash);
    const birth = bytes === undefined ? undefined : decodeFrame(bytes);
    const plan = birth?.kind === "birth" ? planBirth(birth, this.#around.modules) : undefined;
    if (plan === undefined || typeof plan === "string") {
      if (plan === undefined) return undefined;
      this.#around.counters.add(`births.${plan}`);
      this.#unplanned.add(hash);
      return undefined;
    }
    this.#plans.set(hash, plan);
    return plan;
  }
}
