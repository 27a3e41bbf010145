import { Type } from "typebox";

/** A device in a path. */
export const DeviceParams = Type.Object({
  id: Type.String({ minLength: 1, maxLength: 64, description: "the device's name" }),
});

const TIME = "microseconds since 1970, or a date as 2026-05-01T12:00:00Z; device time";

/** A range of device time. */
export const RangeQuery = {
  from: Type.Optional(Type.String({ maxLength: 64, description: `${TIME}; one hour before \`to\` where left out` })),
  to: Type.Optional(
    Type.String({ maxLength: 64, description: `${TIME}; exclusive; the newest sample where left out` }),
  ),
};
