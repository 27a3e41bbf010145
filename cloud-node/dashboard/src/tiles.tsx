import type { ComponentChildren } from "preact";
import { useContext } from "preact/hooks";
import {
  formatAge,
  formatCount,
  formatCounted,
  formatFill,
  formatQuantity,
  formatRatio,
  UNKNOWN,
} from "../../src/api/number-text.ts";
import type { TrafficNote } from "../../src/api/schemas/device-schema.ts";
import type { FleetRow } from "../../src/api/schemas/fleet-schema.ts";
import { Age } from "./age.tsx";
import type { DeviceAnswer, GapsAnswer, SpanTraffic, TrafficAnswer } from "./device-facts.ts";
import { behindText, errorText, RingBar } from "./fleet-columns.tsx";
import { PageContext } from "./page-context.ts";
import { durationText, isoTime, timeOfDay } from "./time-text.ts";
import { boundText, unitText } from "./value-text.ts";

interface TileProps {
  readonly title: string;
  readonly place: string;
  readonly big: ComponentChildren;
  readonly children: ComponentChildren;
}

function Tile({ title, place, big, children }: TileProps) {
  return (
    <section class={`panel tile ${place}`}>
      <h2>{title}</h2>
      <p class="big values">{big}</p>
      <div class="small values">{children}</div>
    </section>
  );
}

interface ThroughProps {
  readonly row: FleetRow;
  readonly device: DeviceAnswer;
  readonly nowUs: number;
}

/** Up to when everything is certain, device time, µs. */
function throughUs({ row, device, nowUs }: ThroughProps): number | null {
  if (row.behindMs === null) return device.confirmed.timeUs;
  return nowUs + (device.clockOffsetUs ?? 0) - row.behindMs * 1000;
}

/** The same beside the device's name, where the tiles are below the lanes. */
export function ThroughText(props: ThroughProps) {
  const { zone } = useContext(PageContext);
  const through = throughUs(props);
  if (through === null) return null;
  return (
    <span class="head-through values">
      confirmed through {timeOfDay(through, zone, 1)} · {behindText(props.row.behindMs)} behind
    </span>
  );
}

/** Up to when everything is certain. */
export function ConfirmedTile(props: ThroughProps) {
  const { zone } = useContext(PageContext);
  const { row, nowUs } = props;
  const through = throughUs(props);
  return (
    <Tile
      title="Confirmed through"
      place="confirmed"
      big={through === null ? UNKNOWN : <time dateTime={isoTime(through)}>{timeOfDay(through, zone, 1)}</time>}
    >
      {behindText(row.behindMs)} behind now · last frame{" "}
      {row.lastDataUs === null ? "none yet" : <Age atUs={row.lastDataUs} nowUs={nowUs} />}
    </Tile>
  );
}

const LAYERS = [
  ["payload", "payload"],
  ["frame", "frame"],
  ["ip", "IP, with acks"],
] as const;

/** What has to be said beside numbers of a stretch of the past. */
const NOTES: Readonly<Partial<Record<TrafficNote, string>>> = {
  "whole-minutes": "whole minutes around the range",
  part: "of a part of the range",
  "clock-unknown": "by the node's clock",
};

/** What the device cost on the wire, beside float32 in the same messages: of what is looked at. */
export function BytesTile({ traffic: told }: { traffic: SpanTraffic | undefined }) {
  const { answer: traffic, span } = told ?? {};
  const seconds = Math.max(1, traffic?.windowS ?? 0);
  const covered =
    traffic === undefined ? "" : span === undefined ? `, last ${durationText(seconds * 1e6)}` : ", this range";
  const isComputed = traffic?.isIpCounted === false || traffic?.about.includes("ip-part") === true;
  const notes = span === undefined ? [] : (traffic?.about.flatMap((note) => NOTES[note] ?? []) ?? []);
  return (
    <section class="panel tile bytes">
      <table class="values">
        <caption>Bytes{covered}</caption>
        <thead>
          <tr>
            <th scope="col">Layer</th>
            <th scope="col" class="number">
              Sent
            </th>
            <th scope="col" class="number">
              Raw
            </th>
            <th scope="col" class="number">
              Saved
            </th>
          </tr>
        </thead>
        <tbody>
          {LAYERS.map(([layer, name]) => {
            const one = traffic?.[layer];
            const about = layer === "ip" && isComputed ? "≈ " : "";
            return (
              <tr key={layer} class={layer === "ip" ? "strong" : ""}>
                <th scope="row">{name}</th>
                <td class="number">{isKnown(one) ? about + rateText(one.bytes / seconds, "up") : UNKNOWN}</td>
                <td class="number">{isKnown(one) ? rateText(one.rawBytes / seconds, "down") : UNKNOWN}</td>
                <td class={`number ${(one?.ratio ?? 1) < 1 ? "bad" : ""}`}>
                  {one?.ratio == null ? UNKNOWN : formatRatio(one.ratio)}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <p class="small">
        {["raw = float32 in the same frames", "≈ counts packets by arithmetic", ...notes].join("; ")}
        {traffic?.covered === null && span !== undefined && ". Nothing was counted here."}
      </p>
    </section>
  );
}

type Layer = TrafficAnswer["ip"];

/** Where nothing was counted, nothing is known: not even that it was nothing. */
function isKnown(layer: Layer | undefined): layer is Layer {
  return layer !== undefined && layer.bytes > 0;
}

function rateText(bytesPerS: number, rounding: "up" | "down"): string {
  return formatQuantity(bytesPerS, "B/s", rounding);
}

/** How near the twin is to the truth. */
export function ErrorTile({ row, device }: { row: FleetRow; device: DeviceAnswer }) {
  const isBeyond = (row.errorShare ?? 0) > 1;
  return (
    <Tile
      title="Max error / eps"
      place="error"
      big={<span class={isBeyond ? "bad" : ""}>{errorText(row.errorShare)}</span>}
    >
      {boundsText(device)} ·{" "}
      {row.errorShare === null ? "bound, not measured" : `measured, ${formatCount(row.samples)} samples`}
    </Tile>
  );
}

/** The bound that all channels have, or that each has its own. */
function boundsText({ channels }: DeviceAnswer): string {
  const bounds = new Set(channels.map(({ eps, unit }) => boundText(eps).replace("± ", "eps ") + unitText(unit)));
  const [bound = UNKNOWN] = bounds;
  return bounds.size > 1 ? "eps of each channel" : bound;
}

/** What is missing. */
export function GapsTile({ gaps, periodUs }: { gaps: GapsAnswer | undefined; periodUs: number }) {
  const lost = gaps?.declaredGaps ?? 0;
  const { pendingGaps = 0, pendingUs = 0 } = gaps ?? {};
  const parts = [lost > 0 ? `${formatCount(lost)} lost` : "", pendingGaps > 0 ? `${pendingGaps} pending` : ""];
  const big = gaps === undefined ? UNKNOWN : parts.filter(Boolean).join(", ") || "none";
  const samples = gaps?.lostSamples ?? 0;
  return (
    <Tile title="Gaps" place="gaps" big={<span class={lost > 0 ? "bad" : ""}>{big}</span>}>
      {samples > 0 ? `${formatCounted(samples, "sample")}, ${durationText(samples * periodUs)} lost` : "nothing lost"}
      {pendingUs > 0 && ` · ${durationText(pendingUs)} pending`}
    </Tile>
  );
}

/** What the device holds back for us. */
export function RingTile({ row, device }: { row: FleetRow; device: DeviceAnswer }) {
  const { ringBytes } = device.birth;
  const { ringFullInS: full, ringFill, behindMs } = row;
  const held = `${formatQuantity(Math.ceil(ringFill * ringBytes), "B", "up")} of ${formatQuantity(ringBytes, "B")}`;
  // What it holds begins where confirmation ends.
  const oldest = ringFill > 0 && behindMs !== null ? ` · oldest ${behindText(behindMs)}` : "";
  return (
    <Tile
      title="Ring"
      place="ring-tile"
      big={
        <>
          {formatFill(row.ringFill)} <RingBar fill={row.ringFill} />
        </>
      }
    >
      {full === null ? held + oldest : `full in ${formatAge(full * 1000)}, then the oldest are lost`}
    </Tile>
  );
}
