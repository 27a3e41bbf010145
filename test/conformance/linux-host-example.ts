/** The sensor of `firmware-examples/linux-host/main.c`: sample t of channel c, in units of 2^-10 g. */
export function linuxHostWave(t: number, c: number): number {
  const phase = (t * (7 + c)) & 1023;
  const triangle = phase < 512 ? phase : 1023 - phase;
  const noise = (Math.imul(t + 1, 2_654_435_761) ^ Math.imul(c + 1, 40_503)) >>> 8;
  return (triangle - 256) * 400 + (noise % 61);
}

/** The bound that it promises, in the same units. */
export const LINUX_HOST_E = 100;

/** Its sources, as `buildDeviceProgram` wants them. */
export const LINUX_HOST_SOURCES = [
  "../../firmware-examples/linux-host/main.c",
  "../../firmware-examples/linux-host/stream.c",
  "../../firmware-examples/board-support/serial-framing.c",
];
export const LINUX_HOST_INCLUDES = ["../../firmware-examples/linux-host"];
