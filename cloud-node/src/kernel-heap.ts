const PAGE_BYTES = 65_536;

/** Memory of a WebAssembly kernel, of which pieces are reserved and given back as on a stack. */
export abstract class KernelHeap {
  readonly #memory: WebAssembly.Memory;
  readonly #alignment: number;
  #next: number;

  /**
   * @param start      what lies before it is the kernel's own
   * @param alignment  of every piece, bytes, a power of two
   */
  constructor(memory: WebAssembly.Memory, start: number, alignment: number) {
    this.#memory = memory;
    this.#alignment = alignment;
    this.#next = start;
  }

  /** What is thrown when a kernel cannot have so much memory. */
  protected abstract tooLarge(bytes: number, cause: unknown): Error;

  /** Where the next reservation begins: give it to `release` to end all that follow. */
  mark(): number {
    return this.#next;
  }

  release(mark: number): void {
    this.#next = mark;
  }

  /**
   * Reserve memory, aligned; what is in it is not cleared. Views made before may be detached.
   *
   * @throws what `tooLarge` makes of it
   */
  reserve(bytes: number): number {
    const at = this.#next;
    const next = Math.ceil((at + bytes) / this.#alignment) * this.#alignment;
    const missing = next - this.#memory.buffer.byteLength;
    if (missing > 0) this.#grow(missing);
    this.#next = next;
    return at;
  }

  #grow(bytes: number): void {
    try {
      this.#memory.grow(Math.ceil(bytes / PAGE_BYTES));
    } catch (cause) {
      throw this.tooLarge(this.#next + bytes, cause);
    }
  }
}
