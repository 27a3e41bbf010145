import { erf } from "../../tensor/error-function.ts";

/** Of a node while the graph is put in order. */
const NEW = 0;
const ENTERED = 1;
const DONE = 2;

/** Lists that many nodes share. */
const NOTHING: readonly never[] = [];
const ONE: readonly number[] = [1];
const BOTH: readonly number[] = [1, 1];
const DIFFERENCE: readonly number[] = [1, -1];

/**
 * One number of a calculation, with what it was made of: the whole of reverse-mode differentiation in one class.
 *
 * A node keeps its operands and, for each, the partial derivative of itself by it at the values that they had. The chain
 * rule then needs no knowledge of any operation. `dot` and `sum` are nodes of many operands, because a product of a row
 * and a column as single additions would be mostly book-keeping. A dot product keeps its other factors, which are its
 * slopes: copying their numbers would cost more than the product.
 *
 * @see A. Griewank and A. Walther, Evaluating Derivatives, 2008, section 3.2 (the reverse mode)
 */
export class Value {
  // Fields begin as what they will be: an engine that has seen `undefined` in one keeps its numbers in boxes.
  data = 0;
  /** ∂root/∂this once `backward` of the root was called; of a leaf, summed until it is set to 0. */
  grad = 0;
  readonly operands: readonly Value[] = NOTHING;
  /** ∂this/∂operand, one for each operand. */
  readonly slopes: readonly number[] = NOTHING;
  /** Of a dot product, in place of slopes: the factor beside each operand. */
  readonly factors: readonly Value[] = NOTHING;
  #state = NEW;

  constructor(
    data: number,
    operands: readonly Value[] = NOTHING,
    slopes: readonly number[] = NOTHING,
    factors: readonly Value[] = NOTHING,
  ) {
    this.data = data;
    this.operands = operands;
    this.slopes = slopes;
    this.factors = factors;
    // A leaf passes nothing on: it has no place in any order.
    this.#state = operands.length === 0 ? DONE : NEW;
  }

  add(other: Value | number): Value {
    if (typeof other === "number") return new Value(this.data + other, [this], ONE);
    return new Value(this.data + other.data, [this, other], BOTH);
  }

  sub(other: Value | number): Value {
    if (typeof other === "number") return new Value(this.data - other, [this], ONE);
    return new Value(this.data - other.data, [this, other], DIFFERENCE);
  }

  mul(other: Value | number): Value {
    if (typeof other === "number") return new Value(this.data * other, [this], [other]);
    return new Value(this.data * other.data, [this, other], [other.data, this.data]);
  }

  div(other: Value | number): Value {
    if (typeof other === "number") return this.mul(1 / other);
    const quotient = this.data / other.data;
    return new Value(quotient, [this, other], [1 / other.data, -quotient / other.data]);
  }

  pow(exponent: number): Value {
    return new Value(this.data ** exponent, [this], [exponent * this.data ** (exponent - 1)]);
  }

  exp(): Value {
    const power = Math.exp(this.data);
    return new Value(power, [this], [power]);
  }

  log(): Value {
    return new Value(Math.log(this.data), [this], [1 / this.data]);
  }

  tanh(): Value {
    const t = Math.tanh(this.data);
    return new Value(t, [this], [1 - t * t]);
  }

  relu(): Value {
    return new Value(Math.max(0, this.data), [this], [this.data > 0 ? 1 : 0]);
  }

  /** x Φ(x) with the normal distribution function itself, as PyTorch has it unless told otherwise. */
  gelu(): Value {
    const x = this.data;
    const below = 0.5 * (1 + erf(x / Math.SQRT2));
    const density = Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
    return new Value(x * below, [this], [below + x * density]);
  }

  /** x σ(x). */
  silu(): Value {
    const gate = 1 / (1 + Math.exp(-this.data));
    return new Value(this.data * gate, [this], [gate * (1 + this.data * (1 - gate))]);
  }

  /** Add ∂this/∂v to the gradient of every value v that this one was made of. Once for a graph: its nodes keep theirs. */
  backward(): void {
    const order = this.#topologicalOrder();
    this.grad = 1;
    for (let at = order.length - 1; at >= 0; at -= 1) (order[at] as Value).#passOn();
  }

  /** The chain rule: this node's gradient, times its slopes, to its operands. */
  #passOn(): void {
    const { grad, operands, slopes, factors } = this;
    for (let k = 0; k < slopes.length; k += 1) (operands[k] as Value).grad += (slopes[k] as number) * grad;
    for (let k = 0; k < factors.length; k += 1) {
      const [x, y] = [operands[k] as Value, factors[k] as Value];
      x.grad += y.data * grad;
      y.grad += x.data * grad;
    }
  }

  /** Every node that this was made of, operands first. By a stack of its own: a graph is deeper than any call stack. */
  #topologicalOrder(): Value[] {
    const order: Value[] = [];
    const stack: Value[] = [this];
    // A matrix's rows are multiplied by one list of factors, which is looked through once for several of them.
    let lastFactors = NOTHING as readonly Value[];
    for (let node = stack.at(-1); node !== undefined; node = stack.at(-1)) {
      if (node.#state === NEW) {
        node.#state = ENTERED;
        for (const operand of node.operands) if (operand.#state === NEW) stack.push(operand);
        if (node.factors !== lastFactors) {
          lastFactors = node.factors;
          for (const factor of lastFactors) if (factor.#state === NEW) stack.push(factor);
        }
        continue;
      }
      stack.pop();
      if (node.#state === DONE) continue;
      node.#state = DONE;
      order.push(node);
    }
    for (const node of order) node.#state = NEW;
    return order;
  }
}

/** Σ values. */
export function sum(values: readonly Value[]): Value {
  let total = 0;
  for (const { data } of values) total += data;
  return new Value(total, values, new Array<number>(values.length).fill(1));
}

/** Σ a_k b_k. @param a, b  shape (n) each; kept */
export function dot(a: readonly Value[], b: readonly Value[]): Value {
  let total = 0;
  for (let k = 0; k < a.length; k += 1) total += (a[k] as Value).data * (b[k] as Value).data;
  return new Value(total, a, NOTHING, b);
}

/** log Σ exp(x_k), however large the values are: their maximum is taken out as a constant. */
export function logSumExp(values: readonly Value[]): Value {
  const most = Math.max(...values.map(({ data }) => data));
  return sum(values.map((value) => value.sub(most).exp()))
    .log()
    .add(most);
}

/** exp(x_k) / Σ exp(x_j). */
export function softmax(values: readonly Value[]): Value[] {
  const most = Math.max(...values.map(({ data }) => data));
  const powers = values.map((value) => value.sub(most).exp());
  const total = sum(powers).pow(-1);
  return powers.map((power) => power.mul(total));
}
