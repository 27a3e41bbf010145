import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { programPath } from "../os-package.ts";

/** An updatable mps2 board under QEMU as a person starts it: its line is a pseudo-terminal that QEMU names. */
export class PtyBoard {
  readonly path: string;
  readonly #qemu: ChildProcess;

  private constructor(qemu: ChildProcess, path: string) {
    this.#qemu = qemu;
    this.path = path;
  }

  /**
   * @param elf    what stays in the device
   * @param flash  the file behind its flash
   */
  static async start(elf: string, flash: string): Promise<PtyBoard> {
    const args = [
      ...["-M", "mps2-an386", "-display", "none", "-monitor", "none", "-serial", "pty", "-action", "reboot=reset"],
      ...["-semihosting-config", "enable=on,target=native"],
      ...["-object", `memory-backend-file,id=flash,mem-path=${flash},size=16M,share=on`],
      ...["-machine", "memory-backend=flash", "-kernel", elf],
    ];
    const qemu = spawn(programPath("qemu-system-arm"), args, { stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    for await (const chunk of qemu.stdout.iterator({ destroyOnReturn: false })) {
      said += String(chunk);
      const [, path] = /char device redirected to (\S+) /.exec(said) ?? [];
      if (path !== undefined) return new PtyBoard(qemu, path);
    }
    throw new RangeError(`QEMU ended: ${said}`);
  }

  /** End it, as the power would. */
  async stop(): Promise<void> {
    if (this.#qemu.exitCode !== null || this.#qemu.signalCode !== null) return;
    this.#qemu.kill("SIGKILL");
    await once(this.#qemu, "exit");
  }
}
