/** Numbers and links that there is room for at first; it doubles. */
const FIRST_ROOM = 1 << 8;

/** Of a number. */
interface Place {
  readonly at: number;
}

/**
 * Numbers in the order in which they were calculated, each with its links: what it was made of, and the partial derivative
 * of it by that, at the values that they had. The chain rule then needs no knowledge of any operation, and no search for an
 * order: whatever a number was made of stands before it.
 *
 *   number  data, grad, and where its links end: they begin where those of the number before it end
 *   link    operand, slope
 */
export class Tape {
  #data = new Float64Array(FIRST_ROOM);
  #grad = new Float64Array(FIRST_ROOM);
  #linksEnd = new Int32Array(FIRST_ROOM);
  #operand = new Int32Array(FIRST_ROOM);
  #slope = new Float64Array(FIRST_ROOM);
  #numbers = 0;
  #links = 0;

  /** How many numbers it has. */
  get length(): number {
    return this.#numbers;
  }

  /** Numbers that `at` counts, from 0 on; good until one more is written. */
  get data(): Float64Array {
    return this.#data;
  }

  /** ∂root/∂number for each, once `backward` of a root was called. */
  get grad(): Float64Array {
    return this.#grad;
  }

  /** That the number which is written next was made of number `operand`, among others. @param slope  its derivative by that */
  link(operand: number, slope: number): void {
    this.#reserve(1);
    this.#operand[this.#links] = operand;
    this.#slope[this.#links] = slope;
    this.#links += 1;
  }

  /** Link the factors of a dot product, shape (n) each, whose slopes are one another. @returns the product */
  linkProduct(a: readonly Place[], b: readonly Place[]): number {
    this.#reserve(2 * a.length);
    const [data, operand, slope] = [this.#data, this.#operand, this.#slope];
    let total = 0;
    let link = this.#links;
    for (let k = 0; k < a.length; k += 1) {
      const x = (a[k] as Place).at;
      const y = (b[k] as Place).at;
      const xData = data[x] as number;
      const yData = data[y] as number;
      total += xData * yData;
      operand[link] = x;
      slope[link] = yData;
      operand[link + 1] = y;
      slope[link + 1] = xData;
      link += 2;
    }
    this.#links = link;
    return total;
  }

  /** Write a number. @returns where it is */
  write(number: number): number {
    const at = this.#numbers;
    if (at === this.#data.length) {
      this.#data = grown(this.#data, Float64Array);
      this.#grad = grown(this.#grad, Float64Array);
      this.#linksEnd = grown(this.#linksEnd, Int32Array);
    }
    this.#data[at] = number;
    this.#grad[at] = 0;
    this.#linksEnd[at] = this.#links;
    this.#numbers = at + 1;
    return at;
  }

  /**
   * Add ∂root/∂number to the gradient of every number that was made of nothing, and set it for all others up to the root.
   * What has no part in the root passes nothing on, whatever its slopes are.
   */
  backward(root: number): void {
    const [grad, linksEnd, operand, slope] = [this.#grad, this.#linksEnd, this.#operand, this.#slope];
    for (let at = root, end = linksEnd[root] as number; at >= 0; at -= 1) {
      const start = at === 0 ? 0 : (linksEnd[at - 1] as number);
      if (start < end) grad[at] = 0;
      end = start;
    }
    grad[root] = 1;
    for (let at = root, end = linksEnd[root] as number; at >= 0; at -= 1) {
      const start = at === 0 ? 0 : (linksEnd[at - 1] as number);
      const share = grad[at] as number;
      if (share !== 0) {
        for (let k = start; k < end; k += 1) {
          const to = operand[k] as number;
          grad[to] = (grad[to] as number) + (slope[k] as number) * share;
        }
      }
      end = start;
    }
  }

  /** Forget all numbers from `length` on: what was calculated of those before them can be calculated anew. */
  rewind(length: number): void {
    this.#numbers = length;
    this.#links = length === 0 ? 0 : (this.#linksEnd[length - 1] as number);
  }

  #reserve(links: number): void {
    while (this.#links + links > this.#operand.length) {
      this.#operand = grown(this.#operand, Int32Array);
      this.#slope = grown(this.#slope, Float64Array);
    }
  }
}

function grown<Numbers extends Float64Array | Int32Array>(
  numbers: Numbers,
  Kind: new (length: number) => Numbers,
): Numbers {
  const larger = new Kind(2 * numbers.length);
  larger.set(numbers);
  return larger;
}
