import { checkContiguous, checkShape, type Recorder } from "../recorder.ts";
import { sizeOf, type Tensor } from "../tensor.ts";

/** GELU by the error function, or by the approximation with tanh. */
export function gelu(recorder: Recorder, x: Tensor, isApproximate: boolean): Tensor {
  return isApproximate
    ? activate(recorder, x, "geluTanh", "geluTanhGradient")
    : activate(recorder, x, "gelu", "geluGradient");
}

/** max(x, 0)². */
export function relu2(recorder: Recorder, x: Tensor): Tensor {
  return activate(recorder, x, "relu2", "relu2Gradient");
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

type Activation = "gelu" | "geluTanh" | "relu2";

function activate(recorder: Recorder, x: Tensor, kernel: Activation, gradient: `${Activation}Gradient`): Tensor {
  checkContiguous(kernel, x);
  const count = sizeOf(x.shape);
  const out = recorder.result(x.shape, [x], (tape, grad) => {
    const { address, add } = tape.give(x);
    tape.call(gradient, address, grad, x, count, add);
  });
  recorder.call(kernel, out, x, count);
  return out;
}
