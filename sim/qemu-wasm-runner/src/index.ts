/**
 * Runs a WebAssembly module as firmware under QEMU.
 *
 * @packageDocumentation
 */
export {};
