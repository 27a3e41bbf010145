import type { DropoutDraw } from "./engine.ts";
import type { AttentionShape } from "./operations/attention.ts";
import type { Program } from "./program.ts";
import { ProgramBuilder } from "./program-builder.ts";
import { normalNumbers, RandomStream } from "./random.ts";
import { sizeOf, type Tensor } from "./tensor.ts";

/** A small program around one operation, and what its inputs are filled from. */
export interface TensorCase {
  readonly name: string;
  readonly program: Program;
  /** For whole-number inputs: numbers from -1 (masked) or 0 up to below this. */
  readonly below: Readonly<Record<string, number>>;
}

/** What the cases leave out, where they leave anything out. */
export const CASE_DRAW: DropoutDraw = { seed: 7, step: 3 };

/** Rows, and logits in a row, of the cases: no multiples of any register. */
const ROWS = 6;
const WIDTH = 10;
const CLASSES = 7;

/** Every operation, with operands that are trained. Odd sizes, so that every kernel has a remainder. */
export function tensorCases(): TensorCase[] {
  const simple = (name: string, operate: (b: ProgramBuilder, x: Tensor) => Tensor, shape = [ROWS, WIDTH]) =>
    makeCase(name, (b) => operate(b, b.parameter("x", shape)));
  const row = (b: ProgramBuilder, name: string) => b.parameter(name, [WIDTH]);
  return [
    simple("matmul", (b, x) => b.matmul(x, b.parameter("w", [WIDTH, 9]))),
    simple("matmul with a transposed weight", (b, x) =>
      b.matmul(x, b.parameter("w", [9, WIDTH]), { transposed: true }),
    ),
    simple("matmul with bias and residual", (b, x) => {
      const residual = b.parameter("residual", [ROWS, 9]);
      return b.matmul(x, b.parameter("w", [WIDTH, 9]), { bias: b.parameter("bias", [9]), residual });
    }),
    simple("matmul of one row", (b, x) => b.matmul(x, b.parameter("w", [WIDTH, 9])), [1, WIDTH]),
    simple(
      "matmul of one row with a transposed weight, bias and residual",
      (b, x) =>
        b.matmul(x, b.parameter("w", [9, WIDTH]), {
          ...{ transposed: true, bias: b.parameter("bias", [9]), residual: b.parameter("residual", [1, 9]) },
        }),
      [1, WIDTH],
    ),
    simple("matmul of 37 rows", (b, x) => b.matmul(x, b.parameter("w", [29, 21])), [37, 29]),
    simple("add", (b, x) => b.add(x, b.parameter("y", [ROWS, WIDTH]))),
    simple("add of a row", (b, x) => b.add(x, row(b, "y"))),
    simple("add of a tensor to itself", (b, x) => b.add(b.scale(x, 2), b.mul(x, x))),
    simple("mul", (b, x) => b.mul(x, b.parameter("y", [ROWS, WIDTH]))),
    simple("scale", (b, x) => b.scale(x, -1.75)),
    simple("layerNorm", (b, x) => b.layerNorm(x, row(b, "gain"), row(b, "bias"))),
    simple("layerNorm without gain", (b, x) => b.layerNorm(x)),
    simple("rmsNorm", (b, x) => b.rmsNorm(x, row(b, "gain"))),
    simple("rmsNorm without gain, by head", (b, x) =>
      b.reshape(b.rmsNorm(b.reshape(x, [2 * ROWS, WIDTH / 2])), [ROWS, WIDTH]),
    ),
    simple("gelu", (b, x) => b.gelu(b.scale(x, 2))),
    simple("gelu by tanh", (b, x) => b.gelu(b.scale(x, 2), "tanh")),
    simple("relu2", (b, x) => b.relu2(x)),
    simple("swiglu", (b, x) => b.swiglu(x, b.parameter("up", [ROWS, WIDTH]))),
    simple("softcap", (b, x) => b.softcap(b.scale(x, 3), 2.5)),
    simple("dropout", (b, x) => b.add(b.dropout(x, { name: "drop", rate: 0.3 }), x)),
    simple("dropout with a residual", (b, x) =>
      b.dropout(x, { name: "drop", rate: 0.6, residual: b.parameter("residual", [ROWS, WIDTH]) }),
    ),
    simple("rope", (b, x) => b.rope(x, { heads: 3, headDim: 6, theta: 100, T: 3 }), [ROWS, 18]),
    makeCase("rope by positions", (b) => {
      const positions = b.input("positions", [ROWS], "i32");
      return b.rope(b.parameter("x", [ROWS, 18]), { heads: 3, headDim: 6, theta: 100, T: 5, positions });
    }),
    makeCase("embedding", (b) => b.embedding(b.parameter("table", [5, WIDTH]), b.input("ids", [ROWS], "i32"))),
    makeCase("an embedding that is the head too", (b) => {
      const table = b.parameter("table", [5, WIDTH]);
      return b.matmul(b.embedding(table, b.input("ids", [ROWS], "i32")), table, { transposed: true });
    }),
    attentionCase("attention", { B: 2, T: 5, heads: 3, kvHeads: 3, headDim: 6 }),
    attentionCase("grouped-query attention", { B: 2, T: 9, heads: 4, kvHeads: 2, headDim: 10 }),
    attentionCase("attention over more than one block", { B: 1, T: 71, heads: 2, kvHeads: 1, headDim: 8 }),
    attentionCase("attention with dropout", {
      ...{ B: 2, T: 67, heads: 4, kvHeads: 2, headDim: 6 },
      dropout: { name: "weights", rate: 0.2 },
    }),
    makeCase("attention over parts of a split, rotated", (b) => {
      const shape = { B: 2, T: 5, heads: 2, headDim: 4 };
      const [q, k, v] = b.split(b.matmul(b.parameter("x", [10, 6]), b.parameter("w", [6, 24])), [8, 8, 8]);
      if (q === undefined || k === undefined || v === undefined) throw new RangeError("a split has as many parts");
      const turn = { heads: 2, headDim: 4, theta: 50, T: 5 };
      return b.causalAttention(b.rope(q, turn), b.rope(k, turn), v, shape);
    }),
    makeCase("a split with a part that is not used", (b) => {
      const [part] = b.split(b.matmul(b.parameter("x", [ROWS, 6]), b.parameter("w", [6, 14])), [6, 8]);
      if (part === undefined) throw new RangeError("a split has as many parts");
      return b.rope(part, { heads: 1, headDim: 6, theta: 10, T: ROWS });
    }),
  ];
}

/** A stack of what a transformer has, so that gradients meet, move and share places; for B sequences. */
export function transformerCase(B = 2): TensorCase {
  const [T, heads, headDim, vocabulary] = [12, 2, 8, 11];
  const width = heads * headDim;
  const b = new ProgramBuilder();
  const [ids, targets] = [b.input("ids", [B * T], "i32"), b.input("targets", [B * T], "i32")];
  const table = b.parameter("table", [vocabulary, width]);
  let x = b.add(b.embedding(table, ids), b.parameter("positions", [T, width]));
  for (const layer of ["0", "1"]) {
    const weight = (name: string, inner: number, columns: number) => b.parameter(`${layer}.${name}`, [inner, columns]);
    const [q, k, v] = b.split(
      b.matmul(b.layerNorm(x, b.parameter(`${layer}.gain`, [width])), weight("qkv", width, 3 * width)),
      [width, width, width],
    );
    if (q === undefined || k === undefined || v === undefined) throw new RangeError("a split has as many parts");
    x = b.matmul(b.causalAttention(q, k, v, { B, T, heads, headDim }), weight("out", width, width), { residual: x });
    const up = b.gelu(b.matmul(b.rmsNorm(x), weight("up", width, 4 * width)));
    x = b.matmul(up, weight("down", 4 * width, width), { residual: x, bias: b.parameter(`${layer}.bias`, [width]) });
  }
  const logits = b.softcap(b.matmul(b.layerNorm(x), table, { transposed: true }), 15);
  const program = b.build(b.crossEntropy(logits, targets));
  return { name: "a transformer of two layers", program, below: { ids: vocabulary, targets: vocabulary } };
}

/** Numbers for everything that a case takes, the same at every call. */
export function caseValues({ name, program, below }: TensorCase): {
  readonly parameters: ReadonlyMap<string, Float32Array>;
  readonly inputs: ReadonlyMap<string, Int32Array>;
} {
  const parameters = program.parameters.map(
    (parameter) =>
      [parameter.name, normalNumbers(sizeOf(parameter.tensor.shape), 0.7, 5, `${name} ${parameter.name}`)] as const,
  );
  const inputs = program.inputs.map((input) => {
    const stream = new RandomStream(6, `${name} ${input.name}`);
    const lowest = input.name === "targets" ? -1 : 0;
    const next = () => lowest + stream.nextBelow((below[input.name] ?? 1) - lowest);
    return [input.name, Int32Array.from({ length: sizeOf(input.tensor.shape) }, next)] as const;
  });
  return { parameters: new Map(parameters), inputs: new Map(inputs) };
}

/** The loss is the cross-entropy of what an operation gave, mixed by a fixed matrix. */
/** A loss over what an operation makes of its operands. */
export function makeCase(name: string, operate: (b: ProgramBuilder) => Tensor): TensorCase {
  const b = new ProgramBuilder();
  const out = operate(b);
  const logits = b.matmul(out, b.parameter("mix", [out.shape.at(-1) ?? 1, CLASSES], { isTrained: false }));
  const targets = b.input("targets", [sizeOf(out.shape.slice(0, -1))], "i32");
  const program = b.build(b.crossEntropy(logits, targets));
  return { name, program, below: { targets: CLASSES, ids: 5, positions: 5 } };
}

export function attentionCase(name: string, shape: AttentionShape & { readonly kvHeads: number }): TensorCase {
  const { B, T, heads, kvHeads, headDim } = shape;
  return makeCase(name, (b) => {
    const rows = (part: string, count: number) => b.parameter(part, [B * T, count * headDim]);
    return b.causalAttention(rows("q", heads), rows("k", kvHeads), rows("v", kvHeads), shape);
  });
}
