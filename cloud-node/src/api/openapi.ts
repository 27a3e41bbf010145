/**
 * What the description of the API says besides its routes, which describe themselves.
 *
 * @param cookie  name of the one that a log-in sets
 */
export function describeApi(cookie: string) {
  return {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Lockstep",
        version: "1",
        description: [
          "The twins of a fleet: what they are now, what they were, what they cost; and updates and jobs, which alone change anything.",
          "While no token was ever made nobody has to show one, and the node is reached from its own machine alone.",
          "Times are microseconds since 1970; those of samples are by the device's own clock.",
          "Every value that no run flags is within its channel's eps of what the device measured.",
        ].join(" "),
        license: { name: "Apache-2.0 OR MIT", identifier: "Apache-2.0 OR MIT" },
      },
      components: {
        securitySchemes: {
          token: {
            type: "http" as const,
            scheme: "bearer",
            description: "From `lockstep tokens add`. Each route names the roles of which the token must have one.",
          },
          session: {
            type: "apiKey" as const,
            in: "cookie" as const,
            name: cookie,
            description: "Of whoever logged in on the page, with the roles of the token.",
          },
        },
      },
      servers: [{ url: "/", description: "the node that serves this description" }],
    },
  };
}
