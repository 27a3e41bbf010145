#ifndef TRACED_PIECES_H
#define TRACED_PIECES_H

#include <stdint.h>

/** In a source of its own, which the sizes count apart. */
uint32_t support_adds(uint32_t value);

#endif
