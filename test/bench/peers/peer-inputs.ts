import type { SignalShape } from "./peer.ts";
import { gridOrigin } from "./peer.ts";

/** What a peer is given in a test. */
export interface PeerInput {
  readonly name: string;
  readonly columns: readonly Float64Array[];
  readonly shape: SignalShape;
}

/** Columns of float32 values with one bound for all. */
export function peerInput(name: string, eps: number, ...columns: readonly (readonly number[])[]): PeerInput {
  const values = columns.map((column) => Float64Array.from(Float32Array.from(column)));
  const origins = values.map((column) => gridOrigin({ min: Math.min(...column), max: Math.max(...column) }, eps));
  const least = values.map((column) => column.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY));
  return { name, columns: values, shape: { rows: values[0]?.length ?? 0, eps: values.map(() => eps), origins, least } };
}

const NOISE_ROWS = 403;
let state = 12345;

/** Uniform in −1 … 1, the same every time. */
function noise(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 31 - 1;
}

const indices = [...new Array(NOISE_ROWS).keys()];

/** Shapes of input that compressors trip over. */
export const PEER_INPUTS: readonly PeerInput[] = [
  peerInput("nothing", 1, [], []),
  peerInput("one sample", 0.5, [3], [-7]),
  peerInput("two samples", 0.5, [0, 100]),
  peerInput(
    "a constant",
    0.01,
    indices.map(() => -42.5),
  ),
  peerInput(
    "zeros",
    0.01,
    indices.map(() => 0),
  ),
  peerInput(
    "a line",
    0.1,
    indices.map((t) => 0.37 * t - 20),
  ),
  peerInput(
    "steps on the edge of the bound",
    1,
    indices.map((t) => (t % 10 < 5 ? 0 : 2)),
    indices.map((t) => t % 2),
  ),
  peerInput(
    "noise below the bound",
    1,
    indices.map(() => 0.9 * noise()),
  ),
  peerInput(
    "noise of many bins",
    0.001,
    indices.map(() => 100 * noise()),
    indices.map(() => noise()),
  ),
  peerInput(
    "noise far from zero",
    1e-3,
    indices.map(() => 30_000 + 10 * noise()),
  ),
  peerInput(
    "a sine with noise",
    0.05,
    indices.map((t) => Math.sin(t / 7) + 0.02 * noise()),
  ),
  peerInput(
    "a burst in silence",
    0.1,
    indices.map((t) => (t > 200 && t < 220 ? 50 * noise() : 0)),
  ),
];
