/* Where the mps2 boards have memory that a file may stand behind, for the model of a flash chip: the PSRAM, 16 MiB. */
#ifndef MPS2_FLASH_H
#define MPS2_FLASH_H

#define MPS2_FLASH 0x21000000u

#endif
