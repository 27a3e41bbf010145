/*
 * What of a device outlives a boot; one of
 *
 *     store-none.c     nothing: the ring is in RAM alone
 *     store-flash.c    ring and epochs, on the flash of boards/board-flash.h
 */
#ifndef DEVICE_STORE_H
#define DEVICE_STORE_H

#include "device.h"

/** Open a configured device, with what the store has of earlier boots. @returns frames adopted or a status */
int32_t device_store_open(device *of, uint32_t nonce, uint32_t now_ms);

/** Write what has changed: after each of device_sample and device_receive, and before a message is sent. @returns 0 or a status */
int32_t device_store_save(device *of);

/** Do one step of what may be done later: milliseconds, where flash is erased. @returns whether there was one, or a status */
int32_t device_store_rest(device *of);

#endif
