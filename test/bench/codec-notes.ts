/** How to read the codec's report. */
export const CODEC_NOTES: readonly string[] = [
  "Ours: payload bytes of every frame with flush, learning included, from the cold state, no envelope. Both ends know the configuration: channels, bounds, ranges. So do the peers; which of its settings a peer uses costs it nothing.",
  "Every encoding is decoded again and compared in float64 with the float32 originals, the peers' too. eps = rel x (max − min) of each channel; a channel that never changes gets rel x its value.",
  "Ratios are peer over ours: above 1, ours is smaller. Bold: a cell that is lost, or the best peer of a cell.",
  "zstd -19, gzip -9, brotli 11: values rounded to the grid of 2 eps, differences of each channel, the better of two byte layouts (by significance; integers by length). Whole file.",
  "Their levels: the same without differences, counted from each channel's first one; the best of three byte layouts (row by row, too) and of five places for the grid to begin, which decides much where the grid is coarse. The differences keep to the grid and the two layouts that the goal of zstd was set with.",
  "sprintz: on the same grid, delta or FIRE, blocks of 8, run lengths, Huffman or not, the best per recording; written from the paper, with headers of 8 blocks together and a small Huffman table, both of which favour it.",
  "deadband, swinging door: 32 bits of time and a float32 a point. Coded: gaps or spans and values on a grid through an adaptive arithmetic coder, the best of 4 or 5 grids. The swinging door as published may be off by 2 eps; here it is strict.",
  "pla: piecewise-linear approximation (joint, level, disjoint from the nearest or from any start) on 5 grids through an adaptive arithmetic coder, the best of these 20 per recording, unlimited lookahead; `pla N` with pieces of at most N rows; `pla fixed` at one setting (any start, grid 1 eps).",
  "Without lookahead are: zstd, gzip, brotli (their differences are causal, although the compressors see the whole file), sprintz (a block of 8), deadband, LFZip, SZ3, zfp. With: swinging door, pla.",
  "SZ3, LFZip, zfp were measured elsewhere on the same recordings, whole file; Mix-Piece only as a ratio of means.",
  "Ours looks for a lattice of each channel's readings and plans on it as `lockstep encode` does (`planOnLattice`), at bounds below 16 of its spacings. The peers measured in this run keep to a grid from the bound alone and are not told of a lattice, which favours ours in the cells that have one.",
  "Two goals were set against weaker peers than this run has: Sprintz against a cost model of it, the best without lookahead against peers measured elsewhere (SZ3, LFZip, zfp; zstd and gzip with one byte layout; that model). Their rows carry must and aim. The same limit against the stronger peer of this run, which has also brotli, a coded deadband and two byte layouts, is a row of its own beside it, shown as met or missed; that limit does not fail the command.",
  "A quiet frame has an empty payload and is not sent; the next frame's header counts its rows. The rates of all tables are of what is sent; the table of quiet frames has beside it what a byte for each would make of them.",
  "Encoding times are processor time of one run of each recording, on as many threads as the machine has cores; memory is `lookaheadBytes` of batch.wasm, beside state, samples and payload.",
  "Settings are chosen on imu_handheld, machine_temp and ecg_mitbih100 (tuned on); bearing_ir7, gas_mox8 and power_home only confirm (held out).",
];
