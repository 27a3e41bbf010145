/** When the first release was measured, and how. */
export const FIRST_RELEASE_AT = "2026-11-21, commit 69acef0, `npm run bench -- codec --data DIR`";

/** Bits per channel-sample of one cell of the first release, frames of 1,000 samples and one frame per file. */
export interface FirstRates {
  readonly thousand: number;
  readonly file: number;
}

/** The first release, wire version 0, for the tables of before and after: by recording and bound. */
export const FIRST_RELEASE: Readonly<Record<string, Readonly<Record<number, FirstRates>>>> = {
  bearing_ir7: {
    0.1: { thousand: 0.7671, file: 0.7664 },
    0.01: { thousand: 3.162, file: 3.161 },
    0.001: { thousand: 6.437, file: 6.436 },
  },
  ecg_mitbih100: {
    0.1: { thousand: 0.1501, file: 0.1485 },
    0.01: { thousand: 1.071, file: 1.07 },
    0.001: { thousand: 3.602, file: 3.601 },
  },
  gas_mox8: {
    0.1: { thousand: 0.007983, file: 0.007783 },
    0.01: { thousand: 0.06583, file: 0.06553 },
    0.001: { thousand: 0.3184, file: 0.318 },
  },
  imu_handheld: {
    0.1: { thousand: 0.04321, file: 0.04262 },
    0.01: { thousand: 0.4952, file: 0.4948 },
    0.001: { thousand: 2.282, file: 2.282 },
  },
  machine_temp: {
    0.1: { thousand: 0.07685, file: 0.07403 },
    0.01: { thousand: 1.196, file: 1.194 },
    0.001: { thousand: 4.199, file: 4.197 },
  },
  power_home: {
    0.1: { thousand: 0.2029, file: 0.2 },
    0.01: { thousand: 1.345, file: 1.343 },
    0.001: { thousand: 3.403, file: 3.4 },
  },
};
