import type { BenchTable } from "./bench.ts";
import { choose, frameName, round, type WireCell } from "./wire-cells.ts";
import type { WireLink } from "./wire-lanes.ts";
import { BATCHED, PLAIN_ACKS } from "./wire-plans.ts";

/** One layer of one signal in frames of one length: how many times smaller than float32 without any framing. */
export interface SummaryPoint {
  readonly signal: string;
  readonly layer: string;
  readonly frameSamples: number;
  readonly frameSeconds: number;
  readonly ratio: number;
}

/** Which part of its run stands for a signal. */
export interface SummaryParts {
  readonly rotor: string;
  readonly IMU: string;
  /** Of both, for the frames that ran sped up. */
  readonly long: string;
}

interface Layer {
  readonly name: string;
  readonly link: WireLink;
  readonly stream: WireCell["stream"];
  readonly bytes: (cell: WireCell) => number;
}

const LAYERS: readonly Layer[] = [
  { name: "payload", link: "MQTT", stream: "Lockstep", bytes: ({ payloadBytes }) => payloadBytes },
  { name: "frame", link: "MQTT", stream: "Lockstep", bytes: ({ frameBytes }) => frameBytes },
  { name: "serial line", link: "serial", stream: "Lockstep", bytes: ({ linkBytesUp }) => linkBytesUp },
  { name: "TCP, IP up", link: "TCP", stream: "Lockstep", bytes: ({ ipBytesUp }) => ipBytesUp },
  { name: "MQTT, IP up", link: "MQTT", stream: "Lockstep", bytes: ({ ipBytesUp }) => ipBytesUp },
  { name: "MQTT, IP both", link: "MQTT", stream: "Lockstep", bytes: ({ ipBytesBoth }) => ipBytesBoth },
  { name: "plain MQTT, IP up", link: "MQTT", stream: "float32", bytes: ({ ipBytesUp }) => ipBytesUp },
];

export const LAYER_NAMES: readonly string[] = LAYERS.map(({ name }) => name);

/** Every layer by signal and frame length, with one acknowledgement for six frames. */
export function summaryOf(cells: readonly WireCell[], parts: SummaryParts): SummaryPoint[] {
  const signals = [
    ["rotor", parts.rotor],
    ["IMU", parts.IMU],
  ] as const;
  return signals.flatMap(([signal, usual]) =>
    LAYERS.flatMap(({ name: layer, link, stream, bytes }) => {
      const of =
        stream === "Lockstep" ? { signal, acks: BATCHED.name } : { signal: "any", acks: PLAIN_ACKS[link][0] ?? "" };
      return choose(cells, { ...of, link })
        .filter(({ part, speed }) => part === (speed === 1 ? usual : parts.long))
        .map((cell) => ({
          ...{ signal, layer, frameSamples: cell.frameSamples, frameSeconds: cell.frameSeconds },
          ratio: cell.rawBytes / bytes(cell),
        }));
    }),
  );
}

export function summaryTable(points: readonly SummaryPoint[]): BenchTable {
  const rows = Map.groupBy(points, ({ signal, frameSamples }) => `${signal} ${frameSamples}`);
  return {
    title: "",
    columns: ["signal", "frame", ...LAYERS.map(({ name }) => `${name} x`)],
    rows: [...rows.values()].map((row) => [
      row[0]?.signal ?? "",
      row[0] === undefined ? "" : frameName(row[0]),
      ...LAYERS.map(({ name }) => round(row.find(({ layer }) => layer === name)?.ratio ?? Number.NaN)),
    ]),
  };
}
