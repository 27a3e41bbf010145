/** The process that has the graphics processor, for all programs of a backend. It ends when it is let go of, and with its device. */
import { serveOrders } from "../../device-orders.ts";
import { checked, DeviceLimitError, NoDeviceError, type OpenDevice, openDevice } from "../../gpu-device.ts";
import { TensorError } from "../tensor-error.ts";
import { DevicePipelines } from "./device-pipelines.ts";
import { DeviceProgram } from "./device-program.ts";
import type { GpuAnswer, GpuOrder, GpuValue } from "./gpu-messages.ts";

interface Opened extends OpenDevice {
  readonly pipelines: DevicePipelines;
}

const programs = new Map<number, DeviceProgram>();
let opened: Opened | undefined;
/** What was wrong with an order that has no answer. */
let failure: unknown;

async function follow(order: GpuOrder): Promise<GpuValue> {
  if (order.kind === "open") return open(order.isSoftware);
  if (opened === undefined) throw new NoDeviceError("no device was opened");
  const { device, pipelines } = opened;
  if (order.kind === "load") {
    return checked(device, async () => {
      programs.set(order.engine, await DeviceProgram.open(device, pipelines, order.program));
      return undefined;
    });
  }
  const program = programs.get(order.engine);
  if (program === undefined) throw new NoDeviceError("the program was never loaded");
  return checked(device, async () => {
    switch (order.kind) {
      case "run":
        return program.run(order.pass);
      case "step":
        return program.step(order.update);
      case "train":
        return program.train(order.update);
      case "read":
        return program.read(order.place);
      case "write":
        program.write(order.section, order.offset, order.values);
        return undefined;
      case "close":
        program.close();
        programs.delete(order.engine);
        return undefined;
    }
  });
}

async function open(isSoftware: boolean): Promise<string> {
  const found = await openDevice(isSoftware);
  // Lost devices do not come back, and what was in their memory is gone.
  found.device.lost.then(() => process.exit(1));
  opened = { ...found, pipelines: new DevicePipelines(found.device) };
  return found.name;
}

async function answer(order: GpuOrder): Promise<GpuAnswer | undefined> {
  try {
    const value = await follow(order);
    if (order.kind === "write" || order.kind === "close") return undefined;
    if (failure !== undefined) throw failure;
    return { kind: "done", value };
  } catch (error) {
    if (order.kind === "write" || order.kind === "close") {
      failure ??= error;
      return undefined;
    }
    failure = undefined;
    return refusalOf(error);
  }
}

function refusalOf(error: unknown): GpuAnswer {
  const problem = error instanceof Error ? error.message : String(error);
  if (error instanceof TensorError) {
    const { code, remedy } = error;
    return { kind: "refused", code, problem: error.problem, remedy };
  }
  if (error instanceof DeviceLimitError) {
    return { kind: "refused", code: "too-large", problem, remedy: "use a smaller model, batch or context" };
  }
  const remedy = "install the optional package webgpu and the driver of a graphics processor, or use wasm-strict";
  return { kind: "refused", code: "no-device", problem, remedy };
}

serveOrders(answer);
