import { checkContiguous, checkShape, type Recorder } from "../recorder.ts";
import { sizeOf, type Tensor } from "../tensor.ts";

/** GELU by the error function, or by the approximation with tanh. */
export function gelu(recorder: Recorder, x: Tensor, isApproximate: boolean): Tensor {
  checkContiguous("gelu", x);
  const count = sizeOf(x.shape);
  const slope = recorder.reserve(x.shape);
  const out = recorder.result(x.shape, [x], (tape, grad) => {
    const { address, add } = tape.give(x);
    tape.call("multiply", address, grad, slope, count, add);
  });
  recorder.call(isApproximate ? "geluTanh" : "gelu", out, slope, x, count);
  return out;
}

/** max(x, 0)². */
export function relu2(recorder: Recorder, x: Tensor): Tensor {
  checkContiguous("relu2", x);
  const count = sizeOf(x.shape);
  const out = recorder.result(x.shape, [x], (tape, grad) => {
    const { address, add } = tape.give(x);
    tape.call("relu2Gradient", address, grad, x, count, add);
  });
  recorder.call("relu2", out, x, count);
  return out;
}

/** cap · tanh(x / cap). */
export function softcap(recorder: Recorder, x: Tensor, cap: number): Tensor {
  checkContiguous("softcap", x);
  const count = sizeOf(x.shape);
  const out = recorder.result(x.shape, [x], (tape, grad) => {
    const { address, add } = tape.give(x);
    tape.call("softcapGradient", address, grad, out, count, cap, add);
  });
  recorder.call("softcap", out, x, count, cap);
  return out;
}

/** gate · σ(gate) · up. */
export function swiglu(recorder: Recorder, gate: Tensor, up: Tensor): Tensor {
  checkContiguous("swiglu", gate, up);
  checkShape("swiglu", "up", up.shape, gate.shape);
  const count = sizeOf(gate.shape);
  const out = recorder.result(gate.shape, [gate, up], (tape, grad) => {
    const [toGate, toUp] = [tape.giveIfNeeded(gate), tape.giveIfNeeded(up)];
    tape.call("swigluGradient", toGate.address, toUp.address, grad, gate, up, count, toGate.add, toUp.add);
  });
  recorder.call("swiglu", out, gate, up, count);
  return out;
}
