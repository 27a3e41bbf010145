/** What the description of the API says besides its routes, which describe themselves. */
export function describeApi() {
  return {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Lockstep",
        version: "1",
        description: [
          "The twins of a fleet: what they are now, what they were, what they cost; and updates, which alone change anything.",
          "Times are microseconds since 1970; those of samples are by the device's own clock.",
          "Every value that no run flags is within its channel's eps of what the device measured.",
        ].join(" "),
        license: { name: "Apache-2.0 OR MIT", identifier: "Apache-2.0 OR MIT" },
      },
      servers: [{ url: "/", description: "the node that serves this description" }],
    },
  };
}
