/*
 * What a device on a serial line has beside its link: with SERIAL_DEVICE_UPDATES the machine of update-device.h, which takes
 * its messages off the line first; else nothing.
 */
#ifndef SERIAL_UPDATES_H
#define SERIAL_UPDATES_H

#ifdef SERIAL_DEVICE_UPDATES

#include "update-device.h"

/** Longest message; it is kept in the machine's memory. */
#define SERIAL_INPUT_BYTES UPDATE_DEVICE_INPUT_BYTES
/** Of the serial device's own. */
#define SERIAL_INPUT_KEPT 1

#else

#include "device.h"

#define SERIAL_INPUT_BYTES DEVICE_INPUT_BYTES
#ifdef SERIAL_DEVICE_LINK_KEY
#define SERIAL_INPUT_KEPT SERIAL_READER_BYTES(SERIAL_INPUT_BYTES + 8) /* and its MAC */
#else
#define SERIAL_INPUT_KEPT SERIAL_READER_BYTES(SERIAL_INPUT_BYTES)
#endif

#endif

#endif
