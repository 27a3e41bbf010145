/* heatshrink names this header; without a heap it takes nothing of it. */
