import type { Kernels } from "../kernels.ts";
import type { DispatchRecorder } from "./dispatch-recorder.ts";

type Names = "fill" | "copy" | "scale" | "add" | "multiply" | "dropout" | "columnSums" | `embedding${"" | "Gradient"}`;
type Chained = "relu2" | "softcap" | "swiglu";
type Activations = "gelu" | "geluTanh" | Chained | `${Chained}Gradient`;

/** `COLUMNS` of kernels/columns.wgsl. */
const COLUMNS = 16;

/** Arithmetic number by number, sums over rows, and rows of tables. */
export function recordElementwise(to: DispatchRecorder): Pick<Kernels, Names> {
  return {
    fill(out, rows, width, stride, number) {
      const count = rows * width;
      to.each("elementwise.fill", count, { out }, { count, width, stride, factor: number });
    },
    copy: (out, x, count, add) => to.each("elementwise.scale", count, { out, x }, { count, factor: 1, add }),
    scale: (out, x, count, factor, add) => to.each("elementwise.scale", count, { out, x }, { count, factor, add }),
    add: (out, a, b, count, period) => to.each("elementwise.add", count, { out, x: a, y: b }, { count, period }),
    multiply: (out, a, b, count, add) => to.each("elementwise.multiply", count, { out, x: a, y: b }, { count, add }),
    dropout(out, x, residual, draw, count, rate, add) {
      const { threshold, grown } = dropoutNumbers(rate);
      const places = { out, x, y: residual, draw };
      to.each("elementwise.dropout", count, places, { count, factor: grown, threshold, add });
    },
    columnSums: (out, x, rows, columns, add) =>
      to.groups("columns.columnSums", columnGroups(columns), { out, grad: x }, { rows, columns, add }),
    embedding: (out, table, ids, rows, width) =>
      to.each("embedding.embedding", rows * width, { out, x: table, ids }, { rows, width }),
    embeddingGradient: (tableGrad, grad, ids, rows, width) =>
      to.rows("embedding.embeddingGradient", rows, { out: tableGrad, x: grad, ids }, { width }),
  };
}

export function recordActivations(to: DispatchRecorder): Pick<Kernels, Activations> {
  return {
    gelu: (out, slope, x, count) => to.each("activation.gelu", count, { out, slope, x }, { count }),
    geluTanh: (out, slope, x, count) => to.each("activation.geluTanh", count, { out, slope, x }, { count }),
    relu2: (out, x, count) => to.each("activation.relu2", count, { out, x }, { count }),
    relu2Gradient: (xGrad, grad, x, count, add) =>
      to.each("activation.relu2Gradient", count, { out: xGrad, grad, x }, { count, add }),
    softcap: (out, x, count, cap) => to.each("activation.softcap", count, { out, x }, { count, cap }),
    softcapGradient: (xGrad, grad, out, count, cap, add) =>
      to.each("activation.softcapGradient", count, { out: xGrad, grad, x: out }, { count, cap, add }),
    swiglu: (out, gate, up, count) => to.each("activation.swiglu", count, { out, x: gate, up }, { count }),
    swigluGradient(gateGrad, upGrad, grad, gate, up, count, addGate, addUp) {
      const places = { grad, x: gate, up };
      const record = (kernel: "Gate" | "Up", out: number, add: number) => {
        if (out !== 0) to.each(`activation.swiglu${kernel}Gradient`, count, { out, ...places }, { count, add });
      };
      record("Gate", gateGrad, addGate);
      record("Up", upGrad, addUp);
    },
  };
}

/** A share that is left out: the words that are below it, and what stays is multiplied by. */
export function dropoutNumbers(rate: number): { readonly threshold: number; readonly grown: number } {
  return { threshold: Math.floor(rate * 2 ** 32), grown: 1 / (1 - rate) };
}

/** Workgroups that sum the columns of a matrix. */
export function columnGroups(columns: number): [number, number, number] {
  return [Math.ceil(columns / COLUMNS), 1, 1];
}
