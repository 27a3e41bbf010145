import type { TwinRegistry } from "../reconstructor/twin-registry.ts";
import type { DeviceDoor } from "./device-door.ts";

/** The way to every device of a registry. */
export function registryDoor(registry: TwinRegistry): DeviceDoor {
  return {
    boot: (device) => registry.get(device)?.boot(),
    send: (device, command) => registry.get(device)?.command({ kind: "flash", ...command }) ?? false,
    devices: () => registry.all().map(({ id }) => id),
  };
}
