import type { KernelArgument, Program } from "../program.ts";
import type { Pass } from "../shard-calls.ts";
import { type Address, isContiguous, sizeOf } from "../tensor.ts";
import { activationNodes } from "./nodes/activation-nodes.ts";
import { attentionNodes } from "./nodes/attention-nodes.ts";
import { cachedAttentionNodes } from "./nodes/cached-attention-nodes.ts";
import { dropoutNodes } from "./nodes/dropout-nodes.ts";
import { elementwiseNodes } from "./nodes/elementwise-nodes.ts";
import { lossNodes } from "./nodes/loss-nodes.ts";
import { matmulNodes } from "./nodes/matmul-nodes.ts";
import type { NodeContext, NodeKernels } from "./nodes/node-kernels.ts";
import { normNodes } from "./nodes/norm-nodes.ts";
import { ropeNodes } from "./nodes/rope-nodes.ts";
import { OnnxGraph } from "./onnx-graph.ts";
import type { DataType, Value } from "./onnx-model.ts";
import { PlaceValues, run } from "./place-values.ts";

/** A value that a graph reads from or writes into a place of the arena. */
export interface PlacedValue {
  readonly place: Address;
  readonly value: Value;
}

/** A value that a graph hands on to its next run: the output `after` is the input `before` then. */
export interface HandedOn {
  readonly before: Value;
  readonly after: Value;
}

/** Inputs of a graph that say what a dropout leaves. */
export interface PlacedDropout {
  /** Where the engine writes what it draws. */
  readonly draw: Address;
  readonly rate: number;
  readonly kept: Value;
  readonly growth: Value;
}

/** A pass of a program as one ONNX model. */
export interface ProgramGraph {
  readonly model: Uint8Array;
  readonly inputs: readonly PlacedValue[];
  readonly outputs: readonly PlacedValue[];
  readonly states: readonly HandedOn[];
  readonly dropouts: readonly PlacedDropout[];
}

/**
 * Emit a pass of a program: its calls are read in order, and what each would compute becomes nodes. Parameters and
 * inputs are inputs of the graph; its outputs are the program's, and with the backward pass the gradients.
 */
export function emitProgram(program: Program, pass: Pass): ProgramGraph {
  const graph = new OnnxGraph();
  const places = new PlaceValues(graph);
  const given = new Map<string, Address>();
  const give = (place: Address, name: string, shape: readonly number[], type: DataType) => {
    given.set(name, place);
    const value = graph.input(name, shape, type);
    places.write(place, value, run(sizeOf(shape)));
    return value;
  };
  const states = new Map<Address, Value>();
  const state = (place: Address, shape: readonly number[]) => {
    const value = graph.input(`state ${states.size}`, shape, "float32");
    states.set(place, value);
    return value;
  };
  for (const { name, tensor } of program.parameters) give(tensor, `parameter ${name}`, tensor.shape, "float32");
  for (const { name, tensor, type } of program.inputs) {
    give(tensor, `input ${name}`, tensor.shape, type === "i32" ? "int32" : "float32");
  }
  for (const [at, { denominator }] of program.losses.entries()) give(denominator, `targets ${at}`, [1], "float32");
  for (const { tensor, values } of program.constants) {
    places.write(tensor, graph.floats(Float32Array.from(values), tensor.shape), run(values.length));
  }
  const dropouts = new Map<Address, PlacedDropout>();
  const dropped = (value: Value, draw: Address, rate: number) => {
    const name = dropouts.size;
    const known = dropouts.get(draw) ?? {
      ...{ draw, rate, kept: graph.input(`kept ${name}`, [sizeOf(value.shape)], "bool") },
      growth: graph.input(`growth ${name}`, [1], "float32"),
    };
    dropouts.set(draw, known);
    const grown = graph.node("Mul", [value, known.growth]);
    const where = [graph.reshape(known.kept, value.shape), grown, graph.scalar(0)];
    return graph.node("Where", where, { type: "float32" });
  };
  const kernels = nodeKernels({ graph, places, state, dropped });
  for (const { kernel, args } of pass === "forward" ? program.forward : [...program.forward, ...program.backward]) {
    (kernels[kernel] as (...args: readonly KernelArgument[]) => void)(...args);
  }
  const handed = [...states].map(([place, before]) => ({ before, after: places.at(place) }));
  const taken = new Set(handed.map(({ after }) => after));
  const outputs = wanted(program, pass).map(([place, count]) => {
    const value = places.numbers(place, count);
    const own = taken.has(value) || !graph.isMade(value) ? graph.copy(value) : value;
    taken.add(own);
    return { place, value: own };
  });
  const { model, inputs } = graph.finish([...taken]);
  const placed = inputs.flatMap((value) => {
    const place = given.get(value.name);
    return place === undefined ? [] : [{ place, value }];
  });
  return { model, inputs: placed, outputs, states: handed, dropouts: [...dropouts.values()] };
}

/** Places that a pass leaves its results in, and their lengths. */
function wanted({ output, parameters }: Program, pass: Pass): (readonly [Address, number])[] {
  const whole = isContiguous(output) ? output : (output.view?.of ?? output);
  const result = [whole, sizeOf(whole.shape)] as const;
  if (pass === "forward") return [result];
  const gradients = parameters.flatMap(({ tensor, gradient }) =>
    gradient === undefined ? [] : [[gradient, sizeOf(tensor.shape)] as const],
  );
  return [result, ...gradients];
}

function nodeKernels(context: NodeContext): NodeKernels {
  return {
    ...elementwiseNodes(context),
    ...matmulNodes(context),
    ...normNodes(context),
    ...activationNodes(context),
    ...ropeNodes(context),
    ...attentionNodes(context),
    ...cachedAttentionNodes(context),
    ...lossNodes(context),
    ...dropoutNodes(context),
  };
}
