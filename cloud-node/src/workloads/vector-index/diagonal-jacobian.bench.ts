/**
 * Whether a diagonal of scales for each anchor, instead of one for all residuals, would pay.
 *
 *   node cloud-node/src/workloads/vector-index/diagonal-jacobian.bench.ts FILE CODE_BYTES
 *
 * The scales are taken from every second row, in single precision, which is more than an index could afford to keep; the
 * other rows are then coded with and without them. A line is printed for each weight that the scale of all residuals has
 * beside those of an anchor's own rows.
 */
import type { IndexModel } from "./model.ts";
import { openVectors } from "./open-vectors.ts";
import { newCodedRows, ResidualCoder } from "./residual-coder.ts";
import { trainModel } from "./train-model.ts";

/** Rows that the scale of all residuals counts as, beside those of one anchor. */
const PRIOR_ROWS = [4, 16, 64, 256];

const [file, codeBytesText] = process.argv.slice(2);
const codeBytes = Number(codeBytesText);
if (file === undefined || !(codeBytes > 0)) {
  console.error("give a file of vectors, of which the dimensions are a multiple of 16, and the bytes of a code");
  process.exit(1);
}
const source = await openVectors(file);
const { n, d } = source;
const rows = new Float32Array(n * d);
await source.read(0, rows);
const { model, lists } = await trainModel(source, { codeBytes, metric: "l2", seed: 1 });
await source.close();
if (model.paddedD !== d) {
  console.error(`${d} dimensions are no multiple of 16`);
  process.exit(1);
}

const coder = new ResidualCoder(model);
const residuals = residualsOf(model, rows, lists);
const tested = Uint32Array.from({ length: n >> 1 }, (_, i) => 2 * i + 1);
const plain = errorWith(() => 1);
console.log(`${file}: ${n} x ${d}, ${model.m} anchors, ${codeBytes} B: squared error left ${plain.toPrecision(4)}`);
for (const prior of PRIOR_ROWS) {
  const scales = scalesOf(prior);
  const error = errorWith((list, j) => (scales[list * d + j] ?? 0) / (model.sigma[j] ?? 0));
  console.log(`  scales for each anchor, ${prior} rows of prior: ${(error / plain).toFixed(4)} times that`);
}

function residualsOf({ rotation, mean, anchors }: IndexModel, x: Float32Array, assigned: Uint32Array): Float32Array {
  const out = new Float32Array(x.length);
  for (let i = 0; i < assigned.length; i++) {
    for (let r = 0; r < d; r++) {
      let z = -(anchors[(assigned[i] ?? 0) * d + r] ?? 0);
      for (let j = 0; j < d; j++) z += (rotation[r * d + j] ?? 0) * ((x[i * d + j] ?? 0) - (mean[j] ?? 0));
      out[i * d + r] = z;
    }
  }
  return out;
}

/** Standard deviations of each anchor's residuals, from the even rows. */
function scalesOf(prior: number): Float32Array {
  const counts = new Float64Array(model.m);
  const squares = new Float64Array(model.m * d);
  for (let i = 0; i < n; i += 2) {
    const list = lists[i] ?? 0;
    counts[list] = (counts[list] ?? 0) + 1;
    for (let j = 0; j < d; j++) squares[list * d + j] = (squares[list * d + j] ?? 0) + (residuals[i * d + j] ?? 0) ** 2;
  }
  return Float32Array.from(squares, (square, at) => {
    const count = counts[Math.floor(at / d)] ?? 0;
    return Math.sqrt((square + prior * (model.sigma[at % d] ?? 0) ** 2) / (count + prior));
  });
}

/**
 * Mean squared error of the odd rows, of which each residual is coded divided by its scale. Rows are made for the
 * coder whose residuals are the divided ones: it knows no scales.
 */
function errorWith(scale: (list: number, j: number) => number): number {
  const { rotation, mean, anchors } = model;
  const made = new Float32Array(tested.length * d);
  const ownLists = tested.map((i) => lists[i] ?? 0);
  const z = new Float64Array(d);
  for (const [at, i] of tested.entries()) {
    const list = ownLists[at] ?? 0;
    for (let j = 0; j < d; j++) z[j] = (anchors[list * d + j] ?? 0) + (residuals[i * d + j] ?? 0) / scale(list, j);
    for (let j = 0; j < d; j++) {
      let x = mean[j] ?? 0;
      for (let r = 0; r < d; r++) x += (rotation[r * d + j] ?? 0) * (z[r] ?? 0);
      made[at * d + j] = x;
    }
  }
  const coded = newCodedRows(tested.length, coder.codeBytes);
  coder.encode(made, ownLists, coded);
  const decoded = new Float32Array(made.length);
  coder.decode(coded, ownLists, decoded);
  const back = residualsOf(model, decoded, ownLists);
  let error = 0;
  for (const [at, i] of tested.entries()) {
    for (let j = 0; j < d; j++) {
      error += ((back[at * d + j] ?? 0) * scale(ownLists[at] ?? 0, j) - (residuals[i * d + j] ?? 0)) ** 2;
    }
  }
  return error / tested.length;
}
