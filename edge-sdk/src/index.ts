/**
 * The codec that both ends share, and the host that drives it over a transport.
 *
 * @packageDocumentation
 */
export {};
