/**
 * The process that has the graphics processor: a driver that aborts takes this one with it, and training starts another.
 * It ends when the process that started it lets go of it.
 */
import { serveOrders } from "../../../device-orders.ts";
import { checked, DeviceLimitError, NoDeviceError, type OpenDevice, openDevice } from "../../../gpu-device.ts";
import type { GpuAnswer, GpuOrder } from "./gpu-messages.ts";
import { GpuSteps } from "./gpu-steps.ts";

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

function refusalOf(error: unknown): GpuAnswer {
  const problem = error instanceof Error ? error.message : String(error);
  return { kind: "refused", code: error instanceof DeviceLimitError ? "too-large" : "no-device", problem };
}

serveOrders((order: GpuOrder) => follow(order).then((value): GpuAnswer => ({ kind: "done", value }), refusalOf));
