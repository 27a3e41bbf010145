import { channelScale } from "@lockstep/protocol";
import type { Static } from "typebox";
import type { TwinSample, TwinView } from "../reconstructor/twin-view.ts";
import type { DeviceTruth } from "./api-node.ts";
import { deviceState } from "./device-state.ts";
import type { FleetWatch } from "./fleet-watch.ts";
import type { HistoryAccess } from "./history-access.ts";
import type { DeviceSchema, TwinSchema } from "./schemas/device-schema.ts";
import { orNull } from "./schemas/nullable.ts";

const MAX_EPOCHS = 100;
const STATUS_INVALID = 1;
const STATUSES = ["ok", "invalid", "saturated"] as const;

/** Who a device is. */
export async function deviceAnswer(
  view: TwinView,
  fleet: FleetWatch,
  history: HistoryAccess,
  truth: DeviceTruth | undefined,
  nowUs: number,
): Promise<Static<typeof DeviceSchema>> {
  const { id, birth, confirmed } = view;
  const epochs = await history.epochs(id);
  return {
    id,
    state: deviceState(view, nowUs),
    alerts: fleet.row(id)?.alerts ?? [],
    transport: view.transport ?? null,
    clockOffsetUs: orNull(view.clockOffsetUs),
    lastHeardUs: view.lastHeardUs === 0 ? null : view.lastHeardUs,
    confirmed: {
      seq: confirmed.seq,
      samples: confirmed.samples,
      timeUs: confirmed.samples === 0 ? null : confirmed.timeUs,
    },
    history: (await history.span(id)) ?? null,
    birth: {
      hash: view.birthHash,
      model: birth.model,
      firmware: birth.firmware,
      periodUs: birth.periodNs / 1000,
      frameSamples: birth.frameSamples,
      silenceMs: birth.silenceMs,
      ringBytes: birth.ringBytes,
    },
    channels: birth.channels.map((channel) => {
      return { name: channel.name, unit: channel.unit, eps: channelScale(channel).eps };
    }),
    epochs: epochs.slice(-MAX_EPOCHS).map(({ epoch, openedUs, birthHash }) => ({ epoch, openedUs, birthHash })),
    boots: epochs.length,
    truth: truthFacts(truth),
    duplicates: view.duplicates,
    conflicts: view.conflicts,
    refused: view.refused,
  };
}

/** A device now: the newest value of each channel, and what is promised about it. */
export function twinAnswer(view: TwinView, nowUs: number): Static<typeof TwinSchema> {
  const confirmed = view.latest.find(({ state }) => state === "confirmed");
  const newest = view.latest.at(-1);
  return {
    id: view.id,
    nowUs,
    epoch: view.epoch,
    state: deviceState(view, nowUs),
    channels: view.birth.channels.map((channel, c) => {
      const status = newest === undefined ? "ok" : (STATUSES[newest.statuses[c] ?? 0] ?? "ok");
      const isBound = newest?.state === "confirmed" && status !== "invalid";
      const { eps } = channelScale(channel);
      const valueIn = (sample: TwinSample | undefined) => {
        const value = sample?.values[c];
        return value === undefined || sample?.statuses[c] === STATUS_INVALID ? null : orNull(value);
      };
      return {
        name: channel.name,
        unit: channel.unit,
        value: valueIn(newest),
        bound: isBound ? eps : null,
        state: newest?.state ?? "unknown",
        status,
        timeUs: newest?.timeUs ?? null,
        ageMs: ageMs(view, newest, nowUs),
        confirmed: {
          value: valueIn(confirmed),
          timeUs: confirmed?.timeUs ?? null,
        },
      };
    }),
  };
}

function truthFacts(truth: DeviceTruth | undefined): Static<typeof DeviceSchema>["truth"] {
  if (truth === undefined) return null;
  const { known, compared, beyondEps, maxErrorOverEps } = truth;
  const [fromUs, toUs] = [known?.fromUs ?? null, known?.toUs ?? null];
  return { fromUs, toUs, compared, beyondEps, maxErrorShare: orNull(maxErrorOverEps) };
}

function ageMs({ clockOffsetUs }: TwinView, sample: TwinSample | undefined, nowUs: number): number | null {
  if (sample === undefined || clockOffsetUs === undefined) return null;
  return Math.max(0, (nowUs + clockOffsetUs - sample.timeUs) / 1000);
}
