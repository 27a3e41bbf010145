/** The part of the WebAssembly interface that we use; TypeScript has it only together with the whole of the DOM. */
// biome-ignore lint/style/noNamespace: that is how the platform declares it
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>);
  }
  class Instance {
    constructor(module: Module);
    readonly exports: Exports;
  }
  class Memory {
    readonly buffer: ArrayBuffer;
  }
  class Global {
    readonly value: number | bigint;
  }
  class RuntimeError extends Error {}
  type Exports = Readonly<Record<string, unknown>>;
  function validate(bytes: Uint8Array<ArrayBuffer>): boolean;
}
