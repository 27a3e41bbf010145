import type { DeviceUpdateView } from "../flash/flash-desk.ts";
import { isFailure } from "../flash/update-record.ts";
import type { NodeEvent } from "../reconstructor/node-event.ts";
import type { TwinView } from "../reconstructor/twin-view.ts";
import type { Troubles } from "./alert-book.ts";
import type { AlertKind } from "./alert-kinds.ts";
import type { DeviceState } from "./device-state.ts";
import { DAMAGED, refusalText } from "./event-text.ts";
import { formatAge, formatCounted, formatFill, formatQuantity, formatRatio } from "./number-text.ts";

const RING_FILLING = 0.9;
const SATURATED_SHARE = 0.01;
const STORM_RESYNCS = 5;
const MANY_BOOTS = 3;
const CLOCK_OFF_US = 2_000_000;

/** What is known of a device now and of its last ten minutes. */
export interface DeviceFacts {
  readonly view: TwinView;
  readonly state: DeviceState;
  /** Why it was last refused. */
  readonly refusal: Extract<NodeEvent, { readonly kind: "refused" }>["reason"] | undefined;
  readonly ringFullInS: number | null;
  /** Of its channel-samples, 0 … 1. */
  readonly saturatedShare: number;
  /** What its newest update came to. */
  readonly update: DeviceUpdateView["update"] | undefined;
  readonly resyncs: number;
  /** Frames in its name that were not believed. */
  readonly unproven: number;
  readonly boots: number;
  /** Samples. */
  readonly lost: number;
  /** Raw over sent IP bytes of the last hour; NaN before an hour was seen. */
  readonly hourRatioIp: number;
}

/** What is wrong with a device, each in one phrase. */
export function deviceTroubles(facts: DeviceFacts): Troubles {
  const { view, state, ringFullInS, saturatedShare, resyncs, unproven, boots, lost, hourRatioIp, update } = facts;
  const found: [AlertKind, string | undefined][] = [
    ["fault", state === "fault" ? faultText(facts) : undefined],
    ["offline", state === "offline" ? offlineText(ringFullInS) : undefined],
    ["unproven", unproven > 0 ? `${formatCounted(unproven, "frame")} without its MAC in 10 min` : undefined],
    ["update-failed", update !== undefined && isFailure(update.step) ? `update failed: ${update.reason}` : undefined],
    ["gap-lost", lost > 0 ? `${formatCounted(lost, "sample")} lost` : undefined],
    ["ring-filling", view.ringFill >= RING_FILLING ? `ring ${formatFill(view.ringFill)} full` : undefined],
    ["resync-storm", resyncs >= STORM_RESYNCS ? `${resyncs} resyncs in 10 min` : undefined],
    ["reboots", boots >= MANY_BOOTS ? `${boots} boots in 10 min` : undefined],
    ["saturated", saturatedShare > SATURATED_SHARE ? `${formatFill(saturatedShare)} of values clipped` : undefined],
    ["clock-off", clockText(view.clockOffsetUs)],
    ["costs-more", hourRatioIp < 1 ? `${formatRatio(hourRatioIp)} of plain bytes for 1 h` : undefined],
  ];
  return new Map(found.flatMap(([kind, text]) => (text === undefined ? [] : [[kind, text] as const])));
}

function faultText({ view, refusal }: DeviceFacts): string {
  if (view.damage !== undefined) return DAMAGED;
  return `refused: ${refusal === undefined ? "see the events" : refusalText(refusal)}`;
}

function offlineText(ringFullInS: number | null): string {
  if (ringFullInS === null) return "offline";
  if (ringFullInS === 0) return "offline; its ring is full, the oldest samples are being lost";
  return `offline; ring full in ${formatAge(ringFullInS * 1000)}`;
}

function clockText(offsetUs: number | undefined): string | undefined {
  if (offsetUs === undefined || Math.abs(offsetUs) <= CLOCK_OFF_US) return undefined;
  return `clock off by ${formatQuantity(Math.abs(offsetUs) / 1e6, "s")}`;
}
