/*
 * USART1 of an STM32F405, as QEMU's netduinoplus2 has it. A real board also wants its clock tree and its pins set up,
 * which QEMU does not model. @see ST RM0090, section 30.6
 */
#include "bare-metal.h"

#define USART_STATUS REGISTER(0x40011000u)
#define USART_DATA REGISTER(0x40011004u)
#define USART_CONTROL REGISTER(0x4001100Cu)

#define STATUS_LOST (1u << 3) /* goes with the byte that is taken after it was read */
#define STATUS_RECEIVED (1u << 5)
#define STATUS_SENT (1u << 6)
#define STATUS_SEND_EMPTY (1u << 7)
/** On, both ways, with an interrupt for each received byte. */
#define CONTROL_ON (1u << 13 | 1u << 5 | 1u << 3 | 1u << 2)

static bool has_lost;

/** What comes before this is lost: a zero says that from now on nothing is. The runner waits for it, and takes it away. */
void uart_start(void) {
  USART_CONTROL = CONTROL_ON;
  uart_put(0);
}

bool uart_has_byte(void) {
  const uint32_t status = USART_STATUS;
  const bool has_byte = (status & STATUS_RECEIVED) != 0;
  if ((status & STATUS_LOST) != 0) {
    has_lost = true;
    /* Lost between the status and the byte of the last time: its interrupt would be raised until another byte comes. */
    if (!has_byte) (void)USART_DATA;
  }
  return has_byte;
}

uint8_t uart_take(void) {
  return (uint8_t)USART_DATA;
}

bool uart_has_lost(void) {
  const bool since_last = has_lost;
  has_lost = false;
  return since_last;
}

void uart_put(uint8_t byte) {
  while ((USART_STATUS & STATUS_SEND_EMPTY) == 0) {
  }
  USART_DATA = byte;
}

void uart_drain(void) {
  while ((USART_STATUS & STATUS_SENT) == 0) {
  }
}

/** The interrupt falls with the byte that is taken. */
void uart_acknowledge(void) {
}
