/**
 * Simulated devices: signals, faulty links, fleets.
 *
 * @packageDocumentation
 */
export {};
