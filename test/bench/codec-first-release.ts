/**
 * Bits per channel-sample of the first release, one frame per file, for the table of before and after:
 * `npm run bench -- codec --data DIR` on 2026-11-21, wire version 0.
 */
export const FIRST_RELEASE: Readonly<Record<string, Readonly<Record<number, number>>>> = {
  bearing_ir7: { 0.1: 0.7664, 0.01: 3.161, 0.001: 6.436 },
  ecg_mitbih100: { 0.1: 0.1485, 0.01: 1.07, 0.001: 3.601 },
  gas_mox8: { 0.1: 0.007783, 0.01: 0.06553, 0.001: 0.318 },
  imu_handheld: { 0.1: 0.04262, 0.01: 0.4948, 0.001: 2.282 },
  machine_temp: { 0.1: 0.07403, 0.01: 1.194, 0.001: 4.197 },
  power_home: { 0.1: 0.2, 0.01: 1.343, 0.001: 3.4 },
};
