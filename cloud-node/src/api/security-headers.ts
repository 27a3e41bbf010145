/**
 * Sent with every answer: nothing from another origin, no inline script, no frame of another site around the page, and
 * no guessing of types.
 */
export const SECURITY_HEADERS = {
  "content-security-policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
} as const;
