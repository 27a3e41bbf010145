import type { IncomingMessage } from "node:http";
import { isOverTls } from "./tls-request.ts";

/**
 * Sent with every answer: nothing from another origin, no inline script, no form to elsewhere, no frame of another site
 * around the page, nobody else's window or page with a hold on it, none of a browser's devices, and no guessing of types.
 */
const ALWAYS = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), serial=(), usb=()",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
} as const;

/** For a year: whoever came over TLS once comes over nothing else. */
const TRANSPORT = { "strict-transport-security": "max-age=31536000" } as const;

/** The headers of an answer. @param request  what is answered */
export function securityHeaders(request: IncomingMessage): Readonly<Record<string, string>> {
  // It would hold for every port of the name, and on localhost for other people's servers too.
  const isLocal = /^localhost(:|$)/i.test(request.headers.host ?? "");
  return isOverTls(request) && !isLocal ? { ...ALWAYS, ...TRANSPORT } : ALWAYS;
}

/** The same for what is not even a request. */
export const REFUSAL_HEADERS: Readonly<Record<string, string>> = ALWAYS;
