import { erf } from "../../tensor/error-function.ts";
import type { Tape } from "./tape.ts";

/**
 * One number of a calculation, on a tape that keeps what it was made of, and that all numbers of a calculation share:
 * reverse-mode differentiation, with `Tape`.
 *
 * An operation links its operands, each with the partial derivative of the result by it, and writes the result. `dot` and
 * `sum` are numbers of many operands, because a product of a row and a column as single additions would be mostly
 * book-keeping.
 *
 * @see A. Griewank and A. Walther, Evaluating Derivatives, 2008, section 3.2 (the reverse mode)
 */
export class Value {
  readonly tape: Tape;
  /** Its place on the tape. */
  readonly at: number;

  /** A number made of what was linked before it on the tape: of nothing, unless something was. */
  constructor(tape: Tape, data: number) {
    this.tape = tape;
    this.at = tape.write(data);
  }

  get data(): number {
    return this.tape.data[this.at] as number;
  }

  set data(number: number) {
    this.tape.data[this.at] = number;
  }

  /** ∂root/∂this once `backward` of the root was called; of a number made of nothing, summed until it is set to 0. */
  get grad(): number {
    return this.tape.grad[this.at] as number;
  }

  set grad(number: number) {
    this.tape.grad[this.at] = number;
  }

  add(other: Value | number): Value {
    if (typeof other === "number") return this.#map(this.data + other, 1);
    return this.#join(this.data + other.data, 1, other, 1);
  }

  sub(other: Value | number): Value {
    if (typeof other === "number") return this.#map(this.data - other, 1);
    return this.#join(this.data - other.data, 1, other, -1);
  }

  mul(other: Value | number): Value {
    if (typeof other === "number") return this.#map(this.data * other, other);
    return this.#join(this.data * other.data, other.data, other, this.data);
  }

  div(other: Value | number): Value {
    if (typeof other === "number") return this.mul(1 / other);
    const quotient = this.data / other.data;
    return this.#join(quotient, 1 / other.data, other, -quotient / other.data);
  }

  pow(exponent: number): Value {
    return this.#map(this.data ** exponent, exponent * this.data ** (exponent - 1));
  }

  exp(): Value {
    const power = Math.exp(this.data);
    return this.#map(power, power);
  }

  log(): Value {
    return this.#map(Math.log(this.data), 1 / this.data);
  }

  tanh(): Value {
    const t = Math.tanh(this.data);
    return this.#map(t, 1 - t * t);
  }

  relu(): Value {
    return this.#map(Math.max(0, this.data), this.data > 0 ? 1 : 0);
  }

  /** x Φ(x) with the normal distribution function itself, as PyTorch has it unless told otherwise. */
  gelu(): Value {
    const x = this.data;
    const below = 0.5 * (1 + erf(x / Math.SQRT2));
    const density = Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
    return this.#map(x * below, below + x * density);
  }

  /** x σ(x). */
  silu(): Value {
    const gate = 1 / (1 + Math.exp(-this.data));
    return this.#map(this.data * gate, gate * (1 + this.data * (1 - gate)));
  }

  /** Add ∂this/∂v to the gradient of every value v that this one goes back to, and set it for those in between. */
  backward(): void {
    this.tape.backward(this.at);
  }

  /** Of this one alone. */
  #map(data: number, slope: number): Value {
    this.tape.link(this.at, slope);
    return new Value(this.tape, data);
  }

  /** Of this one and another. */
  #join(data: number, slope: number, other: Value, otherSlope: number): Value {
    this.tape.link(this.at, slope);
    this.tape.link(other.at, otherSlope);
    return new Value(this.tape, data);
  }
}

/** Σ values. @param values  one or more */
export function sum(values: readonly Value[]): Value {
  const { tape } = values[0] as Value;
  let total = 0;
  for (const value of values) {
    total += value.data;
    tape.link(value.at, 1);
  }
  return new Value(tape, total);
}

/** Σ a_k b_k. @param a, b  shape (n) each, one or more */
export function dot(a: readonly Value[], b: readonly Value[]): Value {
  const { tape } = a[0] as Value;
  return new Value(tape, tape.linkProduct(a, b));
}

/** log Σ exp(x_k), however large the values are: their maximum is taken out as a constant. */
export function logSumExp(values: readonly Value[]): Value {
  const most = largest(values);
  return sum(values.map((value) => value.sub(most).exp()))
    .log()
    .add(most);
}

/** exp(x_k) / Σ exp(x_j). */
export function softmax(values: readonly Value[]): Value[] {
  const most = largest(values);
  const powers = values.map((value) => value.sub(most).exp());
  const total = sum(powers).pow(-1);
  return powers.map((power) => power.mul(total));
}

function largest(values: readonly Value[]): number {
  let most = Number.NEGATIVE_INFINITY;
  for (const { data } of values) most = Math.max(most, data);
  return most;
}
