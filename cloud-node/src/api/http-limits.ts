/** What a server gives to strangers at most. */
export interface HttpLimits {
  /** A request's head must be there within this time, ms: one who sends it letter by letter is cut. */
  readonly headMs: number;
  /** And its body so long behind it, ms; the bytes of a blob take as long as they take. */
  readonly requestMs: number;
  /** How often it is looked for slow heads, ms. */
  readonly lookMs: number;
  /** A connection between two requests is kept for so long, ms. */
  readonly idleMs: number;
  /** And one on which nothing moves in the middle of one, ms. */
  readonly stallMs: number;
  /** Until TLS is agreed upon, ms. */
  readonly handshakeMs: number;
  /** Connections at once. */
  readonly connections: number;
  /** And from one address. */
  readonly connectionsPerAddress: number;
  /** Long answers at once. */
  readonly streams: number;
  /** And for one token. */
  readonly streamsPerToken: number;
}

/** For a node that people look at; programs with more to do are behind a proxy that does it for them. */
export const DEFAULT_HTTP_LIMITS: HttpLimits = {
  headMs: 10_000,
  requestMs: 30_000,
  lookMs: 1_000,
  idleMs: 72_000,
  stallMs: 120_000,
  handshakeMs: 10_000,
  connections: 1_024,
  connectionsPerAddress: 512,
  streams: 256,
  streamsPerToken: 64,
};
