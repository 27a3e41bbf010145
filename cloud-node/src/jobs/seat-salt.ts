/** How the salt of a place in a shared job begins that a worker hands in for others; nobody else may use it. */
export const SEAT_SALT = "seat-";
