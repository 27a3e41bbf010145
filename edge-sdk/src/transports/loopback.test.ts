import { type FarEnd, Inbox, transportSuite } from "../transport.suite.ts";
import { Loopback } from "./loopback.ts";

transportSuite("loopback", async (): Promise<FarEnd> => {
  const loopback = new Loopback();
  const inbox = new Inbox();
  const listen = () =>
    loopback.listen({ connected() {}, disconnected() {}, message: (bytes, topic) => inbox.push(topic, bytes) });
  listen();
  return {
    hasTopics: true,
    transport: () => loopback.transport,
    next: () => inbox.next(),
    send: (bytes) => loopback.send(bytes),
    drop() {
      loopback.drop("cut by the test");
      queueMicrotask(listen);
    },
    pause: () => loopback.pause(),
    resume: () => loopback.resume(),
    close: async () => loopback.drop("the test is over"),
  };
});
