/**
 * The process that has the graphics processor: a driver that aborts takes this one with it, and training starts another.
 * It ends when the process that started it lets go of it.
 */
import { NoDeviceError, type OpenDevice, openDevice } from "./gpu-device.ts";
import type { GpuAnswer, GpuOrder } from "./gpu-messages.ts";
import { DeviceLimitError, GpuSteps } from "./gpu-steps.ts";

interface Opened extends OpenDevice {
  readonly steps: GpuSteps;
}

let opened: Opened | undefined;

async function follow(order: GpuOrder): Promise<unknown> {
  if (order.kind === "open") {
    const found = await openDevice(order.isSoftware);
    const { device, name } = found;
    // Lost devices do not come back: the process that started this one starts another.
    device.lost.then(() => process.exit(1));
    await checked(device, async () => {
      opened = { ...found, steps: new GpuSteps(device, order.shape) };
    });
    return name;
  }
  if (opened === undefined) throw new NoDeviceError("no device was opened");
  const { device, steps } = opened;
  return checked(device, async () => {
    switch (order.kind) {
      case "load":
        return steps.load(order.rows);
      case "assign":
        return steps.assign(order.anchors, order.k);
      case "reduce":
        return steps.reduce(order.weights);
      case "update":
        return steps.update(order.disturbance);
    }
  });
}

/** What WebGPU finds wrong it says beside the calls, whose results are then of no use. */
async function checked<T>(device: GPUDevice, work: () => Promise<T>): Promise<T> {
  device.pushErrorScope("validation");
  device.pushErrorScope("out-of-memory");
  const [result] = await Promise.allSettled([work()]);
  const isFull = await device.popErrorScope();
  const invalid = await device.popErrorScope();
  if (isFull !== null) throw new DeviceLimitError(`the device has not enough memory: ${isFull.message}`);
  if (invalid !== null) throw new NoDeviceError(`the device refuses the kernels: ${invalid.message}`);
  if (result.status === "rejected") throw result.reason;
  return result.value;
}

function refusalOf(error: unknown): GpuAnswer {
  const problem = error instanceof Error ? error.message : String(error);
  return { kind: "refused", code: error instanceof DeviceLimitError ? "too-large" : "no-device", problem };
}

process.on("message", (order: GpuOrder) => {
  follow(order)
    .then((value): GpuAnswer => ({ kind: "done", value }), refusalOf)
    .then((answer) => process.send?.(answer));
});
// Dawn's threads would keep the process, and it is at the end that drivers abort most: there is nothing left to lose then.
process.on("disconnect", () => process.exit(0));
