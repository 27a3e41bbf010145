/* The part of a board's flash that outlives a reset and is a program's own. */
#ifndef BOARD_FLASH_H
#define BOARD_FLASH_H

#include "flash.h"

/** Never NULL; the board's for ever. */
const flash *board_flash(void);

#endif
