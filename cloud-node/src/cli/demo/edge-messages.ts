import type { DeviceSummary, HistoryVerdict } from "@lockstep/sim";

/** What the demo tells the process of its devices. */
export type EdgeOrder =
  | { readonly kind: "start"; readonly url: string; readonly group: string; readonly seed: number }
  /** Lose everything that this device sends or should hear, for so long. */
  | { readonly kind: "cut"; readonly device: string; readonly forMs: number }
  /** Take no more samples, and let the cloud confirm those taken. */
  | { readonly kind: "stop"; readonly withinMs: number }
  /** Compare what is stored with what was measured. */
  | { readonly kind: "verify"; readonly storeFile: string };

/** What one device knows of itself. */
export interface EdgeStatus {
  readonly id: string;
  /** Device time of sample 0, µs. */
  readonly startUs: number;
  /** Bound per channel, in its unit. */
  readonly eps: readonly number[];
  readonly samples: number;
  readonly ringFill: number;
  readonly unconfirmedFrames: number;
  readonly isCut: boolean;
}

/** What the devices' process answers. */
export type EdgeReport =
  | { readonly kind: "status"; readonly devices: readonly EdgeStatus[] }
  | {
      readonly kind: "stopped";
      /** CPU time of this process while its devices sampled, and how long that was. */
      readonly cpuMs: number;
      readonly wallMs: number;
      readonly devices: readonly DeviceSummary[];
    }
  | { readonly kind: "verified"; readonly verdicts: readonly HistoryVerdict[] }
  | { readonly kind: "failed"; readonly message: string };
