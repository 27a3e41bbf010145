/**
 * The cloud's end: ingest, twins, store and jobs.
 *
 * @packageDocumentation
 */
export {};
