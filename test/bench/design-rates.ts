/** Bits per channel-sample that the design prototype reached, one frame per file, by set and relative bound. */
export const DESIGN_RATES: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  imu_handheld: { "1e-1": 0.0447, "1e-2": 0.497, "1e-3": 2.285 },
  bearing_ir7: { "1e-1": 0.769, "1e-2": 3.16, "1e-3": 6.439 },
  gas_mox8: { "1e-1": 0.0079, "1e-2": 0.066, "1e-3": 0.318 },
  power_home: { "1e-1": 0.2, "1e-2": 1.352, "1e-3": 3.409 },
  machine_temp: { "1e-1": 0.074, "1e-2": 1.201, "1e-3": 4.194 },
  ecg_mitbih100: { "1e-1": 0.148, "1e-2": 1.088, "1e-3": 3.602 },
};
