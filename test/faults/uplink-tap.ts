import type { CloudNode, LoopbackEnd } from "@lockstep/cloud-node";
import type { Transport, TransportEvents } from "@lockstep/edge-sdk";

/**
 * A connection to a node into which a test can put bytes of its own, between those of the device or without any device.
 */
export class UplinkTap {
  /** For the device; at most one. */
  readonly transport: Transport;
  /** What the device sent, oldest first. */
  readonly sent: Uint8Array[] = [];
  /** Called with each message of the device right before it is delivered. */
  ahead: (bytes: Uint8Array) => void = () => {};
  #handlers: Parameters<LoopbackEnd["listen"]>[0] | undefined;
  #events: TransportEvents | undefined;
  readonly #detach: () => void;

  constructor(node: CloudNode) {
    this.transport = {
      open: async (events) => {
        this.#events = events;
        queueMicrotask(() => events.connected());
      },
      send: (topic, bytes) => {
        // As on every link with connections, the connection itself is the presence.
        if (topic === "presence") return true;
        const copy = bytes.slice();
        this.sent.push(copy);
        queueMicrotask(() => {
          this.ahead(copy);
          this.#handlers?.message(copy);
        });
        return true;
      },
      useAlias: () => {},
      close: async () => this.end(),
      destroy: async () => this.end(),
    };
    this.#detach = node.attach({
      listen: (handlers) => {
        this.#handlers = handlers;
        handlers.connected();
      },
      send: (bytes) => {
        const copy = bytes.slice();
        queueMicrotask(() => this.#events?.message(copy));
      },
      drop: () => {
        this.#events = undefined;
      },
    });
  }

  /** Put bytes in as if the device had sent them. */
  inject(bytes: Uint8Array): void {
    this.#handlers?.message(bytes.slice());
  }

  end(): void {
    this.#events = undefined;
    this.#detach();
  }
}
