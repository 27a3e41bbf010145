import type { IncomingMessage, Server } from "node:http";

/** What Node's own limit is called, so that both are told the same way. */
const TOO_SLOW = "ERR_HTTP_REQUEST_TIMEOUT";
const LIMITS = new WeakMap<IncomingMessage, { readonly timer: NodeJS.Timeout; begin(): void }>();

/** A request whose body did not come in time. */
class SlowRequest extends Error {
  override readonly name = "SlowRequest";
  readonly code = TOO_SLOW;
}

/**
 * Cut whoever takes longer than this for the body of a request. Node's own limit holds for every request alike, and an
 * upload of gigabytes takes as long as it takes.
 */
export function limitRequestTimes(server: Server, requestMs: number): void {
  server.on("request", (request: IncomingMessage) => {
    const { headers, socket } = request;
    if (headers["content-length"] === undefined && headers["transfer-encoding"] === undefined) return;
    const begin = (): void => {
      const timer = setTimeout(() => {
        // Also of a request that is answered already: what is refused is not sent for ever.
        if (!request.complete) server.emit("clientError", new SlowRequest("the body did not come in time"), socket);
      }, requestMs);
      timer.unref();
      LIMITS.set(request, { timer, begin });
    };
    begin();
    request.once("end", () => clearTimeout(LIMITS.get(request)?.timer));
  });
}

/** Let a request that was admitted take as long as it takes, as long as something moves. */
export function liftRequestTime(request: IncomingMessage): void {
  clearTimeout(LIMITS.get(request)?.timer);
}

/** Nobody wants the rest of it any more: it comes within the time of others, or is cut. */
export function limitRequestTime(request: IncomingMessage): void {
  if (!request.complete) LIMITS.get(request)?.begin();
}
