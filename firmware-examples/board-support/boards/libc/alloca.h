/* The translated module names this header; it never takes stack of a size that it computes. */
