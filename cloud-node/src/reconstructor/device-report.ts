import type { RefusalReason } from "@lockstep/protocol";
import type { SealRefusal } from "./seal-refusal.ts";
import type { TransportKind } from "./twin-view.ts";

/** What a device last said about itself. */
export interface DeviceReport {
  isOnline: boolean;
  /** 0 … 1. */
  ringFill: number;
  clockOffsetUs: number | undefined;
  /** Undefined until it is heard. */
  transport: TransportKind | undefined;
  lastHeardUs: number;
  lastDataUs: number;
  lastHeardMs: number;
  refused: number;
  refusal: RefusalReason | SealRefusal | undefined;
  /** Unix time at which that began, µs. */
  refusedSinceUs: number;
  /** Why nothing of it can be stored any more. */
  damage: string | undefined;
}

/** Of a device that was not heard yet. */
export function newReport(): DeviceReport {
  return {
    isOnline: false,
    ringFill: 0,
    clockOffsetUs: undefined,
    transport: undefined,
    lastHeardUs: 0,
    lastDataUs: 0,
    lastHeardMs: Number.NEGATIVE_INFINITY,
    refused: 0,
    refusal: undefined,
    refusedSinceUs: 0,
    damage: undefined,
  };
}
