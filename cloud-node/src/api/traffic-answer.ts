import type { Static } from "typebox";
import type { TimeRange } from "../history/time-range.ts";
import { addTraffic, NO_TRAFFIC } from "../reconstructor/traffic-meter.ts";
import type { TwinView } from "../reconstructor/twin-view.ts";
import type { StoredTraffic } from "../store/store.ts";
import type { ApiNode } from "./api-node.ts";
import type { FleetWatch } from "./fleet-watch.ts";
import type { HistoryAccess } from "./history-access.ts";
import type { TrafficNote, TrafficSchema } from "./schemas/device-schema.ts";
import { orNull } from "./schemas/nullable.ts";
import { HEADER_BYTES_PER_PACKET } from "./traffic-account.ts";

const US_PER_MINUTE = 60_000_000;
const RAW_BYTES = 4;

type TrafficAnswer = Static<typeof TrafficSchema>;

/** What a device cost on the wire in the last 24 h, as far as this server saw them. */
export function recentTraffic(view: TwinView, fleet: FleetWatch, nowUs: number): TrafficAnswer {
  const account = fleet.account(view);
  const { payloadBytes, frameBytes, ipBytes, rawBytes } = account;
  const rawPayload = rawBytes - (frameBytes - payloadBytes);
  const layer = (bytes: number, ratio: number) => {
    return { bytes, rawBytes: bytes === 0 ? 0 : rawPayload + bytes - payloadBytes, ratio: orNull(ratio) };
  };
  const windowS = fleet.windowS(view.id);
  const toUs = nowUs + (view.clockOffsetUs ?? 0);
  return {
    id: view.id,
    windowS,
    covered: { fromUs: toUs - windowS * 1e6, toUs },
    about: [...(ipBytes > 0 ? (["ip-headers"] as const) : []), ...clockNote(view)],
    samples: fleet.samples(view.id),
    messages: view.traffic.messages,
    payload: layer(payloadBytes, account.ratioPayload),
    frame: layer(frameBytes, account.ratioFrame),
    ip: layer(ipBytes, account.ratioIp),
    isIpCounted: view.traffic.isSocketCounted,
    headerBytesPerPacket: HEADER_BYTES_PER_PACKET,
    rawBytes: rawPayload,
  };
}

/** What a device cost while a range of device time arrived, by whole minutes. */
export async function rangeTraffic(
  view: TwinView,
  { node, history, nowUs }: { readonly node: ApiNode; readonly history: HistoryAccess; readonly nowUs: number },
  range: TimeRange,
): Promise<TrafficAnswer> {
  const offsetUs = view.clockOffsetUs ?? 0;
  const from = Math.floor((range.fromUs - offsetUs) / US_PER_MINUTE);
  const end = Math.min(range.toUs - offsetUs, nowUs);
  const to = Math.max(from, Math.ceil(end / US_PER_MINUTE));
  // Before the store is asked: what is written down meanwhile is known by its minute, and not counted twice.
  const fresh = node.freshTraffic(view.id);
  const stored = await history.traffic(view.id, from, to);
  const newest = stored?.minutes?.newest ?? Number.NEGATIVE_INFINITY;
  const unstored = fresh.filter(({ minute }) => minute > newest && minute >= from && minute < to);
  const total = unstored.reduce((sum, { traffic }) => addTraffic(sum, traffic), stored?.total ?? NO_TRAFFIC);
  const oldest = stored?.minutes?.oldest ?? fresh[0]?.minute;
  const first = Math.max(from, oldest ?? to);
  const covered = first < to ? { fromUs: first * US_PER_MINUTE + offsetUs, toUs: to * US_PER_MINUTE + offsetUs } : null;
  const notes: readonly (readonly [TrafficNote, boolean])[] = [
    ["ip-headers", total.packets > 0],
    ["ip-part", total.packets > 0 && total.countedValues < total.values],
    ["whole-minutes", covered !== null && (covered.fromUs < range.fromUs || covered.toUs > range.toUs)],
    ["part", first > from],
  ];
  return {
    id: view.id,
    // The running minute is not over: what there will be of it costs nothing yet.
    windowS: Math.max(0, Math.min(to * US_PER_MINUTE, nowUs) - Math.min(first, to) * US_PER_MINUTE) / 1e6,
    covered,
    about: [...notes.flatMap(([note, isSo]) => (isSo ? [note] : [])), ...clockNote(view)],
    ...layersOf(total),
  };
}

function layersOf(total: StoredTraffic) {
  const { samples, messages, values, payloadBytes, frameBytes, socketBytes, packets } = total;
  const layer = (bytes: number, payload: number, ownValues: number) => {
    const rawBytes = bytes === 0 ? 0 : RAW_BYTES * ownValues + bytes - payload;
    return { bytes, rawBytes, ratio: bytes === 0 ? null : rawBytes / bytes };
  };
  const ipBytes = packets === 0 ? 0 : socketBytes + 2 * HEADER_BYTES_PER_PACKET * packets;
  return {
    samples,
    messages,
    payload: layer(payloadBytes, payloadBytes, values),
    frame: layer(frameBytes, payloadBytes, values),
    ip: layer(ipBytes, total.countedPayloadBytes, total.countedValues),
    isIpCounted: packets > 0,
    headerBytesPerPacket: HEADER_BYTES_PER_PACKET,
    rawBytes: RAW_BYTES * values,
  };
}

function clockNote({ clockOffsetUs }: TwinView): TrafficNote[] {
  return clockOffsetUs === undefined ? ["clock-unknown"] : [];
}
