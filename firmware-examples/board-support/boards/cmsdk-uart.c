/* UART 0 of the mps2 boards: CMSDK, one byte each way. @see Arm DDI 0479, section 4.3 */
#include "bare-metal.h"

#define UART_DATA REGISTER(0x40004000u)
#define UART_STATE REGISTER(0x40004004u)
#define UART_CONTROL REGISTER(0x40004008u)
#define UART_INTERRUPTS REGISTER(0x4000400Cu)
#define UART_DIVIDER REGISTER(0x40004010u)

#define STATE_SEND_FULL 1u
#define STATE_RECEIVE_FULL 2u
#define STATE_RECEIVE_LOST 8u /* goes when it is written */
#define CONTROL_BOTH_WAYS 3u
#define CONTROL_RECEIVE_INTERRUPT 8u
#define INTERRUPT_RECEIVE 2u
/** 16 is the least: as fast as it goes. */
#define DIVIDER_LEAST 16u

void uart_start(void) {
  UART_DIVIDER = DIVIDER_LEAST;
  UART_CONTROL = CONTROL_BOTH_WAYS | CONTROL_RECEIVE_INTERRUPT;
}

bool uart_has_byte(void) {
  return (UART_STATE & STATE_RECEIVE_FULL) != 0;
}

uint8_t uart_take(void) {
  return (uint8_t)UART_DATA;
}

bool uart_has_lost(void) {
  if ((UART_STATE & STATE_RECEIVE_LOST) == 0) return false;
  UART_STATE = STATE_RECEIVE_LOST;
  return true;
}

void uart_put(uint8_t byte) {
  while ((UART_STATE & STATE_SEND_FULL) != 0) {
  }
  UART_DATA = byte;
}

void uart_drain(void) {
  while ((UART_STATE & STATE_SEND_FULL) != 0) {
  }
}

void uart_acknowledge(void) {
  UART_INTERRUPTS = INTERRUPT_RECEIVE;
}
