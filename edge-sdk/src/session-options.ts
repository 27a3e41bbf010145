import type { ChannelPlan } from "./channel-scale.ts";
import type { Clock } from "./clock.ts";
import type { DeviceModule } from "./device-module.ts";
import type { Lookahead } from "./encoder.ts";
import type { LinkPhase } from "./link.ts";
import type { MacKey } from "./link-seal.ts";
import type { RandomSource } from "./random-source.ts";
import type { SessionTraffic } from "./session-traffic.ts";
import type { Transport } from "./transport.ts";

/** Fits the core's memory beside the state of six channels. */
export const DEFAULT_RING_BYTES = 32_768;

export interface DeviceSessionOptions {
  /** 1 … 64 of `[A-Za-z0-9_-]` */
  readonly device: string;
  /** Free text for the birth, up to 32 bytes. */
  readonly firmware?: string | undefined;
  /** As `planChannel` made them. */
  readonly channels: readonly ChannelPlan[];
  /** Samples of a frame, 1 … 65,535; fewer where it is closed early. */
  readonly frameSamples: number;
  readonly periodNs: number;
  /** Longest time without a word, ms. */
  readonly silenceMs: number;
  /** Memory for frames that the cloud has not confirmed yet; `DEFAULT_RING_BYTES` unless given. */
  readonly ringBytes?: number | undefined;
  /** Keep the ring in this file too, so that it outlives the process; made when there is none. */
  readonly ringFile?: string | undefined;
  /** Force the file to the medium at every change, so that the ring outlives a power cut of the computer as well. */
  readonly isRingSynced?: boolean | undefined;
  /** Longest message that the transport takes, bytes; longer frames go in fragments. No limit unless given. */
  readonly mtu?: number | undefined;
  readonly transport: Transport;
  readonly module: DeviceModule;
  /**
   * The key that the cloud knows this device by: every frame up gets a MAC under it, and one that comes down without is not
   * heard. None unless given. What `stats` counts of the traffic is before frames are sealed and cut.
   */
  readonly macKey?: MacKey | undefined;
  /** How far to look ahead in a frame before it is sent; "none" unless given, and more with a gateway's module alone. */
  readonly lookahead?: Lookahead | undefined;
  readonly clock: Clock;
  /**
   * Where the boot's nonce comes from: `systemRandom()` on a real device. One that starts again from the same seed gives
   * two boots the same nonce, which the cloud takes for one boot: what it confirmed to the first counts for the second.
   */
  readonly random: RandomSource;
  /** Told after every step that may have changed `stats`, and what made it. */
  readonly onStep?: ((cause: SessionStep) => void) | undefined;
}

/** What a session did: took a sample, sent what was due, heard the cloud, or lost or found its connection. */
export type SessionStep = "sample" | "send" | "receive" | "connection";

export interface SessionStats extends SessionTraffic {
  readonly phase: LinkPhase;
  /** 0 while the cloud has not granted one. */
  readonly epoch: number;
  /** Samples pushed since this session was opened. */
  readonly samples: number;
  readonly nextSeq: number;
  /** Seq of the oldest frame held, of whatever epoch; `nextSeq` when none is. */
  readonly oldestSeq: number;
  readonly unconfirmedFrames: number;
  /** Frames made since this session was opened that the cloud has confirmed. */
  readonly acknowledgedFrames: number;
  /** Samples taken that no frame in the ring covers yet: what a power cut would take. */
  readonly pendingSamples: number;
  /** Share of the ring in use, 0 … 1. */
  readonly ringFill: number;
  /** Samples dropped from a full ring. */
  readonly evictedSamples: number;
  /** Frames taken over from an earlier boot. */
  readonly adoptedFrames: number;
  readonly connections: number;
  /** Reason of the cloud's last refusal, protocol/SPEC.md section 3.9; 0: none. */
  readonly refusal: number;
}
