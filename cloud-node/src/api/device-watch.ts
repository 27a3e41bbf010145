import type { DeviceUpdateView } from "../flash/flash-desk.ts";
import type { NodeEvent } from "../reconstructor/node-event.ts";
import type { TwinView } from "../reconstructor/twin-view.ts";
import { AlertBook, type AlertChange } from "./alert-book.ts";
import type { DeviceTruth } from "./api-node.ts";
import { behindUs, deviceState, longestSilenceUs } from "./device-state.ts";
import { deviceTroubles } from "./device-troubles.ts";
import { RecentTrace, type TraceColumns } from "./recent-trace.ts";
import type { FleetRow } from "./schemas/fleet-schema.ts";
import { orNull } from "./schemas/nullable.ts";
import { SlidingTotals } from "./sliding-totals.ts";
import { accountTraffic, type TrafficAccount } from "./traffic-account.ts";

const MINUTE_US = 60_000_000;
const HOUR_US = 60 * MINUTE_US;
const DAY_US = 24 * HOUR_US;
/** Trouble must last, or be gone, for so many of the longest silences before that is said. */
const HOLD_SILENCES = 2;
const HOUR_SLOTS = 12;
const DAY_SLOTS = 24;
const TEN_MINUTE_SLOTS = 20;
/** More than the twin keeps in memory. */
const ALL_RECENT = 1 << 20;

/** What was counted of a device since this server started. */
interface Tallies {
  samples: number;
  saturated: number;
  resyncs: number;
  boots: number;
  lost: number;
  unproven: number;
}

/** Follows one device: what it cost, what was wrong with it lately, how its first channel went. */
export class DeviceWatch {
  readonly #alerts = new AlertBook();
  readonly #tallies: Tallies = { samples: 0, saturated: 0, resyncs: 0, boots: 0, lost: 0, unproven: 0 };
  readonly #lately = new SlidingTotals(10 * MINUTE_US, TEN_MINUTE_SLOTS);
  readonly #hour = new SlidingTotals(HOUR_US, HOUR_SLOTS);
  readonly #day = new SlidingTotals(DAY_US, DAY_SLOTS);
  #refusal: Extract<NodeEvent, { readonly kind: "refused" }>["reason"] | undefined;
  #trace = new RecentTrace();
  #traced = { key: "", samples: 0 };
  #columns: TraceColumns | undefined;

  /** Samples confirmed since this server started, over all boots. */
  get samples(): number {
    return this.#tallies.samples;
  }

  /** What the last 24 h cost, or as much of them as was seen. */
  account(view: TwinView, nowUs: number): TrafficAccount {
    const totals = this.#totals(view);
    this.#day.record(totals, nowUs);
    return accountOver(view, this.#day.within(totals));
  }

  /** How much time the account covers, s. */
  windowS(nowUs: number): number {
    return this.#day.spanUs(nowUs) / 1e6;
  }

  /** Take note of an event of this device. */
  observe(event: NodeEvent): void {
    const tallies = this.#tallies;
    if (event.kind === "confirmed") tallies.samples += event.samples;
    else if (event.kind === "saturated") tallies.saturated += event.count;
    else if (event.kind === "resync") tallies.resyncs += 1;
    else if (event.kind === "born" && event.isNewEpoch) tallies.boots += 1;
    else if (event.kind === "gap-lost") tallies.lost += event.samples;
    else if (event.kind === "unproven") tallies.unproven += event.count;
    else if (event.kind === "refused") this.#refusal = event.reason;
  }

  /** Look at the device now. @returns its row, and the alerts that began or ended */
  look(
    view: TwinView,
    truth: DeviceTruth | undefined,
    nowUs: number,
    update: DeviceUpdateView["update"] | undefined,
  ): { readonly row: FleetRow; readonly changes: AlertChange[] } {
    const account = this.account(view, nowUs);
    this.#follow(view);
    const state = deviceState(view, nowUs);
    const behind = behindUs(view, nowUs);
    const ringFullInS = state === "offline" ? this.#ringFullInS(view, nowUs) : null;
    const troubles = deviceTroubles({
      view,
      state,
      refusal: this.#refusal,
      update: isLately(update, nowUs) ? update : undefined,
      ringFullInS,
      ...this.#recently(view, nowUs),
    });
    const changes = this.#alerts.update(troubles, nowUs, HOLD_SILENCES * longestSilenceUs(view.birth));
    const columns = this.#trace.columns(nowUs);
    // New columns once for each bucket: a table of a thousand rows is not sent anew for the last value of each.
    if (this.#columns?.t0Us !== columns.t0Us) this.#columns = columns;
    const row: FleetRow = {
      id: view.id,
      state,
      channels: view.birth.channels.map((channel) => channel.name),
      samples: this.#tallies.samples,
      lastDataUs: view.lastDataUs === 0 ? null : view.lastDataUs,
      behindMs: behind === undefined ? null : behind / 1000,
      ratioPayload: orNull(account.ratioPayload),
      ratioIp: orNull(account.ratioIp),
      errorShare: orNull(truth?.maxErrorOverEps),
      ringFill: view.ringFill,
      ringFullInS,
      lostSamples: view.lost.samples,
      lostGaps: view.lost.gaps,
      p99Ms: orNull(view.latencyMs.p99),
      alerts: this.#alerts.open,
      recent: this.#columns ?? columns,
    };
    return { row, changes };
  }

  #totals({ traffic }: TwinView): number[] {
    const { messages, payloadBytes, frameBytes, socketBytesUp, socketBytesDown, packetsUp, packetsDown } = traffic;
    const { samples } = this.#tallies;
    return [messages, payloadBytes, frameBytes, socketBytesUp, socketBytesDown, packetsUp, packetsDown, samples];
  }

  #recently(view: TwinView, nowUs: number) {
    const { samples, saturated, resyncs, boots, lost, unproven } = this.#tallies;
    const totals = [samples * view.birth.channels.length, saturated, resyncs, boots, lost, unproven];
    this.#lately.record(totals, nowUs);
    const [values = 0, clipped = 0, resyncsLately = 0, bootsLately = 0, lostLately = 0, unprovenLately = 0] =
      this.#lately.within(totals);
    const isHourFull = this.#hour.spanUs(nowUs) >= HOUR_US;
    const bytes = this.#totals(view);
    this.#hour.record(bytes, nowUs);
    const hour = accountOver(view, this.#hour.within(bytes));
    return {
      saturatedShare: values > 0 ? clipped / values : 0,
      resyncs: resyncsLately,
      boots: bootsLately,
      lost: lostLately,
      unproven: unprovenLately,
      hourRatioIp: isHourFull ? hour.ratioIp : Number.NaN,
    };
  }

  /** By the bytes that it sent per second before; null where nothing was heard from it yet. */
  #ringFullInS(view: TwinView, nowUs: number): number | null {
    const { frameSamples, periodNs, ringBytes } = view.birth;
    const { frameBytes, messages } = view.traffic;
    if (messages === 0 || view.lastHeardUs === 0 || ringBytes === 0) return null;
    const bytesPerS = frameBytes / messages / ((frameSamples * periodNs) / 1e9);
    const silentS = (nowUs - view.lastHeardUs) / 1e6;
    return Math.max(0, ((1 - view.ringFill) * ringBytes) / bytesPerS - silentS);
  }

  #follow(view: TwinView): void {
    const key = `${view.birthHash} ${view.epoch}`;
    const isOther = !this.#traced.key.startsWith(view.birthHash);
    if (isOther) this.#trace = new RecentTrace();
    const known = this.#traced.key === key ? this.#traced.samples : 0;
    const fresh = view.confirmed.samples - known;
    if (fresh > 0) this.#trace.add(view.recent(0, Math.min(fresh, ALL_RECENT)), view.clockOffsetUs ?? 0);
    this.#traced = { key, samples: view.confirmed.samples };
  }
}

/** An update that ended longer ago needs nobody any more, or nobody will come. */
function isLately(update: DeviceUpdateView["update"] | undefined, nowUs: number): boolean {
  return update?.endedUs !== undefined && update.endedUs !== null && nowUs - update.endedUs < DAY_US;
}

function accountOver(view: TwinView, within: readonly number[]): TrafficAccount {
  const [messages = 0, payloadBytes = 0, frameBytes = 0, socketBytesUp = 0, socketBytesDown = 0] = within;
  const [packetsUp = 0, packetsDown = 0, samples = 0] = within.slice(5);
  const { isSocketCounted } = view.traffic;
  const traffic = { messages, payloadBytes, frameBytes, isSocketCounted, socketBytesUp, socketBytesDown };
  return accountTraffic({ ...traffic, packetsUp, packetsDown }, samples, view.birth.channels.length);
}
