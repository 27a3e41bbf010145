/** What is in the way of a device, in words. */
export class NoDeviceError extends Error {
  override readonly name = "NoDeviceError";
}

/** Something that does not fit the device, in words. */
export class DeviceLimitError extends Error {
  override readonly name = "DeviceLimitError";
}

/** What software says that stands in for a graphics processor. */
const SOFTWARE = /llvmpipe|lavapipe|swiftshader|softpipe|basic render/i;

/** An open device, and what has to stay in memory for as long as it is used. */
export interface OpenDevice {
  readonly device: GPUDevice;
  readonly name: string;
  /** Dawn does not keep its own instance alive: once this is collected, what the device does is undefined. */
  readonly instance: GPU;
}

/**
 * A graphics processor through Dawn: by Vulkan, Metal or Direct3D, or else by OpenGL ES.
 *
 * @param isSoftware  take OpenGL ES done by the processor, which is for tests: elsewhere it is no device
 * @throws {NoDeviceError}
 */
export async function openDevice(isSoftware: boolean): Promise<OpenDevice> {
  const dawn = await import("webgpu").catch((cause: unknown) => {
    throw new NoDeviceError("the optional npm package webgpu is not installed, or not for this platform", { cause });
  });
  Object.assign(globalThis, dawn.globals);
  const found =
    (isSoftware ? undefined : await ask(dawn.create([]), { powerPreference: "high-performance" })) ??
    (await ask(dawn.create(["backend=opengles"]), { featureLevel: "compatibility" }));
  if (found === undefined) {
    throw new NoDeviceError("no graphics processor answers by Vulkan, Metal, Direct3D or OpenGL ES");
  }
  const { adapter, instance } = found;
  const { device: model, description } = adapter.info;
  const name = [model, description].filter((part) => part !== "").join(", ");
  if (SOFTWARE.test(name) && !isSoftware) {
    throw new NoDeviceError(`there is no graphics processor, only a program in its place (${name})`);
  }
  const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  const device = await adapter.requestDevice({ requiredLimits: { maxStorageBufferBindingSize, maxBufferSize } });
  return { device, name, instance };
}

/**
 * What WebGPU finds wrong it says beside the calls, whose results are then of no use.
 *
 * @throws {DeviceLimitError} where the device has no memory for it; {NoDeviceError} where it refuses the kernels
 */
export async function checked<T>(device: GPUDevice, work: () => Promise<T>): Promise<T> {
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

async function ask(
  instance: GPU,
  options: GPURequestAdapterOptions,
): Promise<{ adapter: GPUAdapter; instance: GPU } | undefined> {
  const adapter = await instance.requestAdapter(options);
  return adapter === null ? undefined : { adapter, instance };
}
