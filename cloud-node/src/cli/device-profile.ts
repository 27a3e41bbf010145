/** The codec as it is, or the one with fewer taps, for devices that interpret it. */
export const DEVICE_PROFILES = ["full", "lite"] as const;
export type DeviceProfile = (typeof DEVICE_PROFILES)[number];
