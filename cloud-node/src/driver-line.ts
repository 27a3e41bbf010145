import { type ChildProcess, fork, type StdioOptions } from "node:child_process";

/** Mesa without a screen, on the processor. */
const SOFTWARE_ENV = { EGL_PLATFORM: "surfaceless", LIBGL_ALWAYS_SOFTWARE: "1", XDG_RUNTIME_DIR: "/tmp" };

/** Which graphics processor a process is started for. */
export interface DriverOptions {
  /** OpenGL ES done by the processor (Mesa), which is for tests. */
  readonly isSoftware: boolean;
  /** Called with every process that is started. */
  readonly started?: ((pid: number) => void) | undefined;
}

/**
 * Orders to a process that has a graphics processor, and its answers, one for each and in their order. A driver that
 * aborts takes that process with it, and no other. Between answers it does not keep the program running.
 */
export class DriverLine<Order extends object, Answer> {
  readonly #child: ChildProcess;
  #waiting: ((answer: Answer | undefined) => void)[] = [];
  #isOpen = true;

  /** @param program  what the process runs: `serveOrders` of device-orders.ts */
  constructor(program: URL, { isSoftware, started }: DriverOptions) {
    const stdio: StdioOptions = ["ignore", "ignore", "ignore", "ipc"];
    const env = isSoftware ? { env: SOFTWARE_ENV } : {};
    this.#child = fork(program, [], { serialization: "advanced", execArgv: [], stdio, ...env });
    this.#child.on("message", (answer) => this.#answer(answer as Answer));
    for (const event of ["exit", "error"]) this.#child.once(event, () => this.#lose());
    this.#holdIf(false);
    if (this.#child.pid !== undefined) started?.(this.#child.pid);
  }

  /** Whether the process is there, as far as is known. */
  get isOpen(): boolean {
    return this.#isOpen && this.#child.connected;
  }

  /** @returns nothing where the process ended instead of answering */
  ask(order: Order): Promise<Answer | undefined> {
    if (!this.isOpen) return Promise.resolve(undefined);
    this.#holdIf(true);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.tell(order);
    });
  }

  /** An order that has no answer. */
  tell(order: Order): void {
    // What could not be sent was sent to a process that is gone: its end says so.
    if (this.isOpen) this.#child.send(order, () => undefined);
  }

  end(): void {
    if (this.#child.connected) this.#child.disconnect();
    this.#lose();
  }

  #answer(answer: Answer): void {
    this.#waiting.shift()?.(answer);
    if (this.#waiting.length === 0) this.#holdIf(false);
  }

  #lose(): void {
    this.#isOpen = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const settle of waiting) settle(undefined);
    this.#holdIf(false);
  }

  /** Keep the program running, or let it end. */
  #holdIf(isWaiting: boolean): void {
    for (const held of [this.#child, this.#child.channel]) {
      if (isWaiting) held?.ref();
      else held?.unref();
    }
  }
}
