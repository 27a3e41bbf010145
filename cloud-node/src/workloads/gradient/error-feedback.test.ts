import { expect, test } from "vitest";
import { ErrorFeedback } from "./error-feedback.ts";
import { GradientCore } from "./gradient-core.ts";
import { PlacedCoder } from "./placed-coder.ts";

/** What a worker of a model of two numbers keeps, with a coder that sends whole numbers. */
class Rig {
  readonly #coder = new PlacedCoder(new GradientCore(), [{ name: "a", shape: [2] }], { kind: "error-bounded" }, 0);
  readonly feedback = new ErrorFeedback(this.#coder, this.#coder.core.zeros(2));
  readonly #units = this.#coder.unitsAt(this.#ones());

  #ones(): number {
    const at = this.#coder.core.zeros(2);
    this.#coder.core.write(at, Float32Array.of(1, 1));
    return at;
  }

  send(step: number, ...found: number[]): void {
    this.feedback.collect(Float32Array.from(found));
    this.#coder.encode(this.feedback.at, this.#units, { steps: Float32Array.of(1) }, step);
    this.feedback.release(step, this.#units);
  }

  get unsent(): number[] {
    return [...this.feedback.unsent];
  }
}

test("what is not sent is added to what is found next, and what is sent is not", () => {
  const rig = new Rig();
  rig.send(0, 1.25, -2.375);
  expect(rig.unsent).toEqual([0.25, -0.375]);
  rig.send(1, 0.5, -0.5);
  expect(rig.unsent).toEqual([-0.25, 0.125]);
});

test("a contribution that did not arrive counts as unsent, once, and only in its own step", () => {
  const rig = new Rig();
  rig.send(7, 3.25, 0);
  rig.feedback.takeBack(6);
  expect(rig.unsent).toEqual([0.25, 0]);
  rig.feedback.takeBack(7);
  rig.feedback.takeBack(7);
  expect(rig.unsent).toEqual([3.25, 0]);
});
