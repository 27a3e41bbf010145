/**
 * What a device and its twin must agree on.
 *
 * @packageDocumentation
 */
export {};
