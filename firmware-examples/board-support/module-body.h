/* A module in a slot: its index behind it, in sectors of its own, made once and compared at every boot. */
#ifndef MODULE_BODY_H
#define MODULE_BODY_H

#include "core.h"
#include "slots.h"

/** The flash holds another index than it should, and cannot be written. Below every interpreter_code. */
#define MODULE_BODY_FLASH_FAILED (-1)

/**
 * Prove a module valid, and see to it that its index is in flash: what is there is compared, and made anew where it differs.
 *
 * @param module  set to where it lies; keep it as long as the module runs
 * @param memory_bytes  that it will be lent
 * @param work  room while it is checked, 8-byte aligned; `work_bytes` of it
 * @param at    set to the byte of the module where it is refused
 * @returns 0, an interpreter_code, or MODULE_BODY_FLASH_FAILED
 */
int32_t module_body_open(const slot_area *area, uint32_t slot, uint32_t bytes, uint32_t memory_bytes, uint8_t *work,
                         uint32_t work_bytes, interpreted_module *module, uint32_t *at);

#endif
