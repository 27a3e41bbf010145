/* The configuration of heatshrink that is measured, for its code and for what measures it; its own header stands aside. */
#ifndef HEATSHRINK_SUBJECT_H
#define HEATSHRINK_SUBJECT_H

#ifndef HEATSHRINK_CONFIG_H
#define HEATSHRINK_CONFIG_H
#endif
#define HEATSHRINK_DYNAMIC_ALLOC 0
/** A sample of six int32 is 24 bytes. */
#define HEATSHRINK_STATIC_INPUT_BUFFER_SIZE 32
#define HEATSHRINK_STATIC_WINDOW_BITS 8
#define HEATSHRINK_STATIC_LOOKAHEAD_BITS 4
#define HEATSHRINK_DEBUGGING_LOGS 0
#define HEATSHRINK_USE_INDEX HEATSHRINK_INDEX
#define DLL_PUBLIC
#define DLL_LOCAL

#endif
