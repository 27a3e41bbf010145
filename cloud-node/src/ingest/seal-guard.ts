import { timingSafeEqual } from "node:crypto";
import {
  addMac,
  bootKeyMessage,
  type DownlinkFrame,
  decodeFrame,
  encodeFrame,
  type Frame,
  FrameError,
  isSequenced,
  type LinkDirection,
  MAC_BYTES,
  type MacFrame,
  splitMac,
} from "@lockstep/protocol";
import type { Speakers } from "../access/speaker-gate.ts";
import type { Clock } from "../clock.ts";
import type { NodeEvent } from "../reconstructor/node-event.ts";
import type { SealRefusal } from "../reconstructor/seal-refusal.ts";
import type { TwinRegistry } from "../reconstructor/twin-registry.ts";
import { FrameHmac, type HmacKey } from "./frame-hmac.ts";

/** Keys that devices prove by what they say. */
export interface LinkKeys extends Speakers {
  /** 32 bytes, also of a device that may not speak any more; undefined: it has none, and what it says has no MAC. */
  macKeyOf(device: string): Uint8Array | undefined;
  /** Names of the devices that have one, and may speak. */
  devices(): Iterable<string>;
}

/** What of a source the guard goes by. */
export interface GuardedSource {
  readonly device: string | undefined;
  /** The transport has made sure who speaks: by a login, or a certificate. */
  readonly isKnown?: boolean | undefined;
  readonly line?: object | undefined;
}

/** A frame that may be believed, as far as MACs go. */
export interface OpenedFrame {
  readonly frame: Frame;
  /** Of it, without a MAC: as it is decoded and stored. */
  readonly bytes: Uint8Array;
  /** Whose key it is under; undefined where nobody's is asked for. */
  readonly device?: string;
}

/** A frame that is not believed. */
export interface RefusedFrame {
  readonly refusal: SealRefusal;
}

export interface SealGuardOptions {
  readonly keys: LinkKeys;
  readonly registry: TwinRegistry;
  readonly clock: Clock;
  emit(event: NodeEvent): void;
}

interface BootKeys {
  readonly linkKey: Uint8Array;
  readonly nonce: number;
  readonly up: HmacKey;
  readonly down: HmacKey;
}

/** What was refused in the name of a device since it was last told. */
interface Tally {
  count: number;
  toldMs: number;
}

/** Of a device whose frames are refused it is told this often at most: whoever forges may forge much. */
const TELL_EVERY_MS = 10_000;
/** Keys are tried on a line this often at most. */
const SEARCH_EVERY_MS = 1_000;

/**
 * Stands before everything that believes a frame: of a device that has a key only those with a right MAC, of a boot that is not
 * over, come by; what goes to it is sealed.
 *
 * @see protocol/SPEC.md, section 9
 */
export class SealGuard {
  readonly #options: SealGuardOptions;
  readonly #hmac = new FrameHmac();
  /** Of the boot in force of each device. */
  readonly #boots = new Map<string, BootKeys>();
  readonly #tallies = new Map<string, Tally>();
  #searchedMs = Number.NEGATIVE_INFINITY;

  constructor(options: SealGuardOptions) {
    this.#options = options;
  }

  /**
   * Judge a message.
   *
   * @throws {FrameError} when it is no frame, whatever it is under
   */
  open(bytes: Uint8Array, source: GuardedSource): OpenedFrame | RefusedFrame {
    const { keys } = this.#options;
    if (keys.isOpen) return { frame: decodeFrame(bytes), bytes };
    const sourceKey = source.device === undefined ? undefined : keys.macKeyOf(source.device);
    const mac = splitMac(bytes);
    const read = mac === undefined ? undefined : decodeInside(mac.frame);
    // A piece has no MAC: the head of its own chunk may look like that of one.
    const inside = read instanceof FrameError || read?.kind === "fragment" ? undefined : read;
    const damage = sourceKey !== undefined && read instanceof FrameError ? read : undefined;
    const frame = inside ?? decodeOutside(bytes, damage);
    // Its pieces have no MAC; the whole has.
    if (frame.kind === "fragment") return { frame, bytes };
    // Nobody's to judge, and no word about the device whose name was used: the intake refuses it whoever says it.
    if (isOfAnother(frame, source)) return { frame, bytes };
    const device = frame.kind === "birth" ? frame.device : (source.device ?? this.#recognise(frame, mac, source));
    const isSource = device === source.device;
    const linkKey = isSource || device === undefined ? sourceKey : keys.macKeyOf(device);
    if (device === undefined || linkKey === undefined) {
      // Nobody here can judge a MAC: refused as by any peer without keys.
      if (inside !== undefined) decodeFrame(bytes);
      return { frame, bytes };
    }
    const refusal = inside === undefined || mac === undefined ? "no-mac" : this.#judge(inside, mac, device, linkKey);
    if (refusal !== undefined) {
      this.#tell(device, refusal);
      return { refusal };
    }
    return { frame, bytes: mac?.frame ?? bytes, device };
  }

  /** A frame as it goes to a device: sealed, where that has a key. */
  seal(frame: DownlinkFrame, device: string | undefined): Uint8Array {
    const linkKey = device === undefined ? undefined : this.#options.keys.macKeyOf(device);
    const bytes = encodeFrame(frame);
    if (device === undefined || linkKey === undefined) return bytes;
    const { down } = this.#keysOf(device, linkKey, frame.nonce);
    return addMac(bytes, (covered) => this.#hmac.code(down, covered));
  }

  #judge(frame: Frame, mac: MacFrame, device: string, linkKey: Uint8Array): SealRefusal | undefined {
    const boots = this.#options.registry.get(device)?.boots;
    const nonce = "nonce" in frame ? frame.nonce : boots?.nonce;
    if (nonce === undefined || !this.#isRight(this.#keysOf(device, linkKey, nonce).up, mac)) return "bad-mac";
    if (frame.kind === "birth") {
      if (boots?.isOver(nonce) !== true) return undefined;
      if (boots.isProven) return "replayed-birth";
      boots.revive(nonce);
    } else if (frame.kind === "status" && boots?.isOver(nonce) === true) {
      return boots.isProven ? "replayed-status" : undefined;
    } else if (isSequenced(frame) || (frame.kind === "status" && boots?.nonce === nonce)) {
      boots?.prove();
    }
    return undefined;
  }

  /** Who speaks on a line where nobody has said so: the device of a boot in force, or whose key the MAC is under. */
  #recognise(frame: Frame, mac: MacFrame | undefined, { line }: GuardedSource): string | undefined {
    if (line === undefined || frame.kind !== "status") return undefined;
    const { registry, keys, clock } = this.#options;
    const known = registry.byBoot(frame.nonce, frame.epoch)?.id;
    if (known !== undefined || mac === undefined) return known;
    const nowMs = clock.nowMs();
    if (nowMs - this.#searchedMs < SEARCH_EVERY_MS) return undefined;
    this.#searchedMs = nowMs;
    for (const device of keys.devices()) {
      const linkKey = keys.macKeyOf(device);
      if (linkKey !== undefined && this.#isRight(this.#bootKey(linkKey, "up", frame.nonce, device), mac)) return device;
    }
    return undefined;
  }

  #keysOf(device: string, linkKey: Uint8Array, nonce: number): BootKeys {
    const known = this.#boots.get(device);
    const isSame = known?.linkKey === linkKey || (known !== undefined && Buffer.compare(known.linkKey, linkKey) === 0);
    if (isSame && known?.nonce === nonce) return known;
    const keyOf = (direction: LinkDirection) => this.#bootKey(linkKey, direction, nonce, device);
    const made = { linkKey, nonce, up: keyOf("up"), down: keyOf("down") };
    // Replays of other boots do not take its place.
    if (this.#options.registry.get(device)?.boots.nonce === nonce) this.#boots.set(device, made);
    return made;
  }

  #bootKey(linkKey: Uint8Array, direction: LinkDirection, nonce: number, device: string): HmacKey {
    const hmac = this.#hmac;
    return hmac.key(hmac.code(hmac.key(linkKey), bootKeyMessage(direction, nonce, device)));
  }

  #isRight(key: HmacKey, { covered, mac }: MacFrame): boolean {
    return timingSafeEqual(this.#hmac.code(key, covered).subarray(0, MAC_BYTES), mac);
  }

  #tell(device: string, refusal: SealRefusal): void {
    const { registry, clock, emit } = this.#options;
    const tally = this.#tallies.get(device) ?? { count: 0, toldMs: Number.NEGATIVE_INFINITY };
    this.#tallies.set(device, tally);
    tally.count += 1;
    registry.admit(device).distrust(refusal);
    if (clock.nowMs() - tally.toldMs < TELL_EVERY_MS) return;
    emit({ kind: "unproven", device, code: refusal, count: tally.count });
    tally.toldMs = clock.nowMs();
    tally.count = 0;
  }
}

/** Whether a birth names another device than the one whose connection it came by; a line has no connections. */
export function isOfAnother(frame: Frame, { device, line }: GuardedSource): boolean {
  return frame.kind === "birth" && line === undefined && device !== undefined && device !== frame.device;
}

function decodeInside(bytes: Uint8Array): Frame | FrameError {
  try {
    return decodeFrame(bytes);
  } catch (error) {
    if (error instanceof FrameError) return error;
    throw error;
  }
}

/**
 * A message that is no frame under a MAC, though it may end as one does: the last piece of a frame under a MAC ends so.
 *
 * @param damage  what is wrong with the frame under the MAC, where but for a piece it can be nothing else
 */
function decodeOutside(bytes: Uint8Array, damage: FrameError | undefined): Frame {
  if (damage === undefined) return decodeFrame(bytes);
  const frame = decodeInside(bytes);
  if (frame instanceof FrameError || frame.kind !== "fragment") throw damage;
  return frame;
}
