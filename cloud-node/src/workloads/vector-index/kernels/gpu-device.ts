/** What is in the way of a device, in words. */
export class NoDeviceError extends Error {
  override readonly name = "NoDeviceError";
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

async function ask(
  instance: GPU,
  options: GPURequestAdapterOptions,
): Promise<{ adapter: GPUAdapter; instance: GPU } | undefined> {
  const adapter = await instance.requestAdapter(options);
  return adapter === null ? undefined : { adapter, instance };
}
