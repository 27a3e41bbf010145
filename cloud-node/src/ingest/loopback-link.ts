import { type FrameIntake, type FrameSource, frameSource } from "./frame-intake.ts";

/** The cloud's end of an in-memory pair; the SDK's `Loopback` is one. */
export interface LoopbackEnd {
  listen(handlers: { connected(): void; disconnected(): void; message(bytes: Uint8Array): void }): void;
  send(bytes: Uint8Array): void;
  drop(reason: string): void;
}

/**
 * Take a device, or a program, of the same process in.
 *
 * @param speaker  its name; nothing: the one in its birth
 * @returns ends the connection
 */
export function attachLoopback(
  end: LoopbackEnd,
  intake: FrameIntake,
  gone: (source: FrameSource) => void,
  speaker?: string,
): () => void {
  let source: FrameSource | undefined;
  const leave = () => {
    if (source !== undefined) gone(source);
    source = undefined;
  };
  end.listen({
    connected: () => {
      leave();
      const here: FrameSource = frameSource(
        { transport: "loopback", send: (frame) => end.send(intake.encode(frame, here)) },
        { device: speaker, isKnown: true },
      );
      source = here;
    },
    disconnected: leave,
    message: (bytes) => {
      if (source !== undefined) intake.receive(bytes, source);
    },
  });
  return () => {
    end.drop("the cloud node closes");
    leave();
  };
}
