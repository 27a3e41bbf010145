import type { Core } from "@lockstep/edge-sdk/core";
import { type FrameLength, GREEDY, type OursRun, runOurs, VARIANTS } from "./codec-ours.ts";
import { latticesOf } from "./codec-plan.ts";
import { codedPla, codedPlaFixed, codedSwingingDoor } from "./peers/coded-pla.ts";
import { codedDeadband, deadband, deadbandEvents } from "./peers/deadband.ts";
import { framedEvents } from "./peers/framed-events.ts";
import { BYTE_COMPRESSORS, gridDifferences, gridLevels } from "./peers/grid-bytes.ts";
import { gridOrigin, measurePeer, type Peer, type PeerResult } from "./peers/peer.ts";
import { sprintz } from "./peers/sprintz.ts";
import { swingingDoor } from "./peers/swinging-door.ts";
import type { TelemetrySet } from "./telemetry-sets.ts";

/** One recording at one bound: ours in every variant and frame length, beside every peer. */
export interface Cell {
  readonly set: string;
  readonly rel: number;
  readonly channels: number;
  readonly samples: number;
  readonly stateBytes: number;
  readonly ours: readonly OursRun[];
  /** Each variant at `KEYFRAME_ROWS`, every frame from the cold state; only where `hasKeyframeRow` says so. */
  readonly keyed: readonly OursRun[];
  /** Encoded greedily at the longest counted frame length; undefined where there is none. */
  readonly greedy: OursRun | undefined;
  readonly peers: Readonly<Record<string, PeerResult & { readonly hasLookahead: boolean }>>;
}

/** What is to be measured. */
export interface CellJob {
  readonly set: TelemetrySet;
  readonly rel: number;
  readonly frames: readonly FrameLength[];
}

/** One second of the recording that the price of keyframes is measured on. */
export const KEYFRAME_ROWS = 100;

/** The goal is set for the handheld IMU at this bound. */
export function hasKeyframeRow({ set, rel }: { readonly set: string; readonly rel: number }): boolean {
  return set === "imu_handheld" && rel === 0.01;
}

/**
 * Peers see the whole recording; those whose spans are as long as they like also with spans of at most each frame length,
 * which is what ours waits for.
 */
export function peersFor(frames: readonly FrameLength[]): Peer[] {
  const counted = frames.filter((length) => length !== "file");
  return [
    gridDifferences("zstd", BYTE_COMPRESSORS.zstd),
    gridDifferences("gzip", BYTE_COMPRESSORS.gzip),
    gridDifferences("brotli", BYTE_COMPRESSORS.brotli),
    gridLevels("zstd levels", BYTE_COMPRESSORS.zstd),
    gridLevels("gzip levels", BYTE_COMPRESSORS.gzip),
    gridLevels("brotli levels", BYTE_COMPRESSORS.brotli),
    sprintz("sprintz"),
    deadband("deadband"),
    deadbandEvents("deadband events"),
    codedDeadband("deadband coded"),
    ...counted.map((length) => framedEvents(`deadband events ${length}`, length)),
    ...counted.map((length) => codedDeadband(`deadband coded ${length}`, length)),
    swingingDoor("swinging door"),
    codedSwingingDoor("swinging door coded"),
    codedPlaFixed("pla fixed"),
    codedPla("pla"),
    ...counted.map((length) => codedPla(`pla ${length}`, length)),
  ];
}

/**
 * The bound of each channel: rel times its range. A channel that never changes has none; it gets rel times its value, and
 * one that is always zero gets rel.
 */
export function boundsOf({ ranges }: Pick<TelemetrySet, "ranges">, rel: number): number[] {
  return ranges.map(({ min, max }) => rel * (max > min ? max - min : Math.abs(max) || 1));
}

/** Measure one cell. */
export function measureCell(core: Core, { set, rel, frames }: CellJob): Cell {
  const eps = boundsOf(set, rel);
  const lattices = latticesOf(set);
  const counted = frames.filter((length) => length !== "file");
  const about = { set: set.name, rel, channels: set.channels, samples: set.rows };
  const keyed = { frames: KEYFRAME_ROWS, isColdEachFrame: true };
  const uncut = { frames: KEYFRAME_ROWS };
  const columns = eps.map((_, c) => Float64Array.from({ length: set.rows }, (_, t) => valueAt(set, t, c)));
  const origins = set.ranges.map((range, c) => gridOrigin(range, eps[c] ?? 0));
  const shape = { rows: set.rows, eps, origins, least: set.ranges.map(({ min }) => min) };
  const results = peersFor(frames).map((peer) => {
    return [peer.name, { ...measurePeer(peer, columns, shape), hasLookahead: peer.hasLookahead }] as const;
  });
  return {
    ...about,
    stateBytes: core.stateBytes(set.channels),
    ours: frames.flatMap((length) =>
      VARIANTS.map((variant) => runOurs(core, set, eps, { variant, frames: length, lattices })),
    ),
    greedy:
      counted.length === 0
        ? undefined
        : runOurs(core, set, eps, { variant: GREEDY, frames: Math.max(...counted), lattices }),
    keyed: hasKeyframeRow(about)
      ? VARIANTS.flatMap((variant) =>
          [uncut, keyed].map((how) => runOurs(core, set, eps, { variant, lattices, ...how })),
        )
      : [],
    peers: Object.fromEntries(results),
  };
}

function valueAt({ values, channels }: TelemetrySet, row: number, c: number): number {
  return values[row * channels + c] as number;
}
