import { TrainingCore } from "../training-core.ts";
import type { AnchorKernels, AnchorSums, Assignment, Disturbance, GridShape } from "./anchor-kernels.ts";

/** The kernels in WebAssembly, with a memory of their own. */
export function cpuKernels({ paddedD, range }: GridShape): AnchorKernels {
  const core = new TrainingCore();
  const start = core.mark();
  const { calls } = core;
  let rows = 0;
  let loadedRows = 0;
  let beyondRows = start;
  let k = 0;
  let m = 0;
  let ids = 0;
  let anchors = 0;
  let sums = 0;
  let counts = 0;

  return {
    device: "cpu",

    async load(values) {
      core.release(start);
      rows = core.place(values);
      loadedRows = values.length / paddedD;
      beyondRows = core.mark();
    },

    async assign(given, count): Promise<Assignment> {
      core.release(beyondRows);
      k = Math.min(count, loadedRows);
      m = given.length / paddedD;
      anchors = core.place(given);
      ids = core.reserve(4 * k);
      const distances = core.reserve(4 * k);
      const seconds = core.reserve(4 * k);
      sums = core.reserve(4 * m * paddedD);
      counts = core.reserve(4 * m);
      const packed = core.reserve(calls.panelBytes(m, paddedD));
      calls.packPanels(anchors, m, paddedD, packed);
      calls.assignRows(rows, k, paddedD, packed, m, ids, distances, seconds);
      return {
        ids: core.words(ids, k).slice(),
        distances: core.ints(distances, k).slice(),
        seconds: core.ints(seconds, k).slice(),
      };
    },

    async reduce(weights): Promise<AnchorSums> {
      const at = core.place(weights);
      core.ints(sums, m * paddedD).fill(0);
      core.ints(counts, m).fill(0);
      calls.addToSums(rows, k, paddedD, ids, at, sums, counts);
      core.release(at);
      return { sums: core.ints(sums, m * paddedD).slice(), counts: core.ints(counts, m).slice() };
    },

    async update({ seed, amplitudes }: Disturbance): Promise<Int16Array> {
      const at = core.place(amplitudes);
      calls.updateAnchors(sums, counts, m, paddedD, at, seed, range, anchors);
      core.release(at);
      return core.shorts(anchors, m * paddedD).slice();
    },

    async close() {},
  };
}
