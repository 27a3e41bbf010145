import { median } from "./statistics.ts";
import type { LanePlan, WireLink } from "./wire-lanes.ts";
import type { LaneTraffic } from "./wire-traffic.ts";

/** One way to send one signal, in one part of a run: bytes are medians over the seeds. */
export interface WireCell {
  /** "any" for a plain stream: its bytes do not depend on the samples. */
  readonly signal: string;
  readonly stream: "Lockstep" | "float32";
  readonly link: WireLink;
  readonly frameSamples: number;
  readonly frameSeconds: number;
  readonly acks: string;
  readonly part: string;
  /** How many times faster than real time it ran. */
  readonly speed: number;
  /** The part's samples as float32. */
  readonly rawBytes: number;
  readonly payloadBytes: number;
  readonly frameBytes: number;
  readonly linkBytesUp: number;
  readonly linkBytesBoth: number;
  readonly ipBytesUp: number;
  readonly ipBytesBoth: number;
  readonly packetsUp: number;
  /** Where the bytes of one data frame go; sums to `ipBytesUp` per frame but for medians. */
  readonly perFrame: FrameParts;
}

/** Bytes up-link, per data frame. */
export interface FrameParts {
  readonly payload: number;
  readonly envelope: number;
  readonly statuses: number;
  readonly link: number;
  readonly ip: number;
  readonly bare: number;
  readonly sum: number;
}

/** The cells of one part. */
export function cellsOf(
  lanes: readonly LaneTraffic[],
  { part, speed, periodNs }: { readonly part: string; readonly speed: number; readonly periodNs: number },
): WireCell[] {
  const groups = Map.groupBy(lanes, ({ plan }) =>
    [plan.kind, plan.link, plan.source, plan.frameSamples, plan.acks].join(),
  );
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { kind, link, source, frameSamples, acks } = first.plan;
    const get = (figure: (lane: LaneTraffic) => number) => median(group.map(figure));
    return {
      signal: kind === "plain" ? "any" : source,
      stream: kind === "plain" ? "float32" : "Lockstep",
      frameSeconds: (frameSamples * periodNs) / 1e9,
      ...{ link, frameSamples, acks, part, speed },
      rawBytes: first.rawBytes,
      payloadBytes: get(({ payloadBytes }) => payloadBytes),
      frameBytes: get(({ messageBytes }) => messageBytes),
      linkBytesUp: get(({ linkUp }) => linkUp),
      linkBytesBoth: get(({ linkBoth }) => linkBoth),
      ipBytesUp: get(({ ipUp }) => ipUp),
      ipBytesBoth: get(({ ipBoth }) => ipBoth),
      packetsUp: get(({ packetsUp }) => packetsUp),
      perFrame: framePartsOf(group),
    };
  });
}

function framePartsOf(lanes: readonly LaneTraffic[]): FrameParts {
  const get = (figure: (lane: LaneTraffic) => number) => median(lanes.map((lane) => figure(lane) / lane.dataFrames));
  return {
    payload: get(({ payloadBytes }) => payloadBytes),
    envelope: get(({ dataFrameBytes, payloadBytes }) => dataFrameBytes - payloadBytes),
    statuses: get(({ messageBytes, dataFrameBytes }) => messageBytes - dataFrameBytes),
    link: get(({ linkUp, messageBytes }) => linkUp - messageBytes),
    ip: get(({ ipUp, bareUpBytes, linkUp }) => ipUp - bareUpBytes - linkUp),
    bare: get(({ bareUpBytes }) => bareUpBytes),
    sum: get(({ ipUp }) => ipUp),
  };
}

/** Two parts as one. */
export function joined(first: readonly LaneTraffic[], second: readonly LaneTraffic[]): LaneTraffic[] {
  return first.map((lane, l) => {
    const other = second[l] ?? lane;
    const add = (of: (lane: LaneTraffic) => number) => of(lane) + of(other);
    return {
      plan: lane.plan,
      rawBytes: add(({ rawBytes }) => rawBytes),
      payloadBytes: add(({ payloadBytes }) => payloadBytes),
      dataFrames: add(({ dataFrames }) => dataFrames),
      dataFrameBytes: add(({ dataFrameBytes }) => dataFrameBytes),
      messages: add(({ messages }) => messages),
      messageBytes: add(({ messageBytes }) => messageBytes),
      linkUp: add(({ linkUp }) => linkUp),
      linkBoth: add(({ linkBoth }) => linkBoth),
      ipUp: add(({ ipUp }) => ipUp),
      ipBoth: add(({ ipBoth }) => ipBoth),
      packetsUp: add(({ packetsUp }) => packetsUp),
      bareUpBytes: add(({ bareUpBytes }) => bareUpBytes),
    };
  });
}

/** Which cells a table or a goal is about; what is left out may be anything. */
export type CellChoice = Partial<
  Pick<WireCell, "signal" | "stream" | "link" | "frameSamples" | "acks" | "part" | "speed">
>;

export function choose(cells: readonly WireCell[], choice: CellChoice): WireCell[] {
  const wanted = Object.entries(choice);
  return cells.filter((cell) => wanted.every(([field, value]) => cell[field as keyof CellChoice] === value));
}

/** The plain stream beside a cell: the same link, frame and part, acknowledged no more than it must be. */
export function plainBeside(cells: readonly WireCell[], cell: WireCell): WireCell | undefined {
  const { link, frameSamples, part, speed } = cell;
  return choose(cells, { stream: "float32", link, frameSamples, part, speed })[0];
}

/** A frame's length as a reader says it. */
export function frameName({ frameSamples, frameSeconds }: Pick<WireCell, "frameSamples" | "frameSeconds">): string {
  if (frameSamples === 1) return "1 sample";
  if (frameSeconds >= 3600) return `${frameSeconds / 3600} h`;
  return frameSeconds > 60 ? `${frameSeconds / 60} min` : `${frameSeconds} s`;
}

/** Three significant digits, or all before the point. */
export function round(value: number): number {
  return value >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}

export function isOurs({ plan }: { readonly plan: LanePlan }): boolean {
  return plan.kind === "lockstep";
}
