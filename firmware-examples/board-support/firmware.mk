# Rules that the examples for microcontrollers share. A Makefile names BOARD, SOURCES and DEVICE_NAME, and includes this.
#
#   make          build/BOARD/NAME.elf, from ../../edge-sdk/build/device.wasm (npm run build makes that)
#   make run      in QEMU, its UART on a pseudo-terminal; QEMU says which: lockstep serve --serial /dev/pts/N
#   make size     flash and memory, in bytes, by part
#   make check    cppcheck
#   make clean
#
# LINK_KEY=64 hex digits: every frame carries a MAC under that key, and none without is heard (sealed-link.h). It is in the
# program then, and in build/: keep the one from being read out of the chip, and the other from being read at all.

ROOT    ?= ../..
WASM    ?= $(ROOT)/edge-sdk/build/device.wasm
WASM2C  ?= node $(ROOT)/sim/qemu-wasm-runner/bin/compact-wasm2c.js
SUPPORT ?= ../board-support
NAME    ?= $(notdir $(CURDIR))
BUILD   := build/$(BOARD)$(PART)
CFLAGS  ?= -Os
DEFINES ?=
# What a device on a serial line never asks of the core: to decode, and messages of a limited length. With six channels or
# more `stacked` too, and with history shifts of 2 at most `wide`; a plan that asks for what is fixed traps when it begins.
FIXED   ?= decodes,mtu

ifeq ($(BOARD),mps2-an386)
PREFIX  := arm-none-eabi-
CPU     := -mcpu=cortex-m4 -mthumb -DBOARD_MPS2
SCRIPT  := mps2.ld
# What copies code to save a jump, or carries values for long, costs the core flash and stack, and gains little time.
CORE_FLAGS ?= -fno-thread-jumps -fno-tree-dominator-opts -fno-tree-fre -fno-tree-tail-merge -fno-cse-follow-jumps \
              -fno-tree-loop-optimize -fno-tree-loop-im -fno-move-loop-invariants -fno-schedule-insns2 \
              -fno-inline-functions-called-once -fno-reorder-blocks -fno-ipa-pure-const -fno-tree-reassoc
BOARDS  := bare-metal.c cortex-m.c cmsdk-uart.c semihosting-clock.c memory.c
STORE   := store-none.c
QEMU    := qemu-system-arm -M mps2-an386 -semihosting-config enable=on,target=native
LOADER  := -kernel
else ifeq ($(BOARD),riscv32-virt)
PREFIX  := riscv64-unknown-elf-
CPU     := -misa-spec=2.2 -march=rv32imc -mabi=ilp32
SCRIPT  := riscv32-virt.ld
BOARDS  := bare-metal.c riscv32-virt.c goldfish-clock.c cfi-flash.c memory.c
STORE   := store-flash.c flash-ring.c flash-rebuild.c flash-log.c crc32.c ring-image.c
FLASH   := $(BUILD)/flash.bin
# QEMU before 8 loads no -kernel where the second flash chip has a drive behind it.
QEMU    := qemu-system-riscv32 -M virt -drive if=pflash,unit=1,format=raw,file=$(FLASH)
LOADER  := -bios
else
$(error BOARD is "$(BOARD)": mps2-an386 or riscv32-virt)
endif

CORE    := core.o
DEVICE  := serial-device.c serial-framing.c device.c wasm-rt.c
ifdef FORM
include $(SUPPORT)/updatable.mk
endif

LINK_KEY ?=
MAC_WASM ?= $(ROOT)/edge-sdk/build/mac.wasm
ifneq ($(LINK_KEY),)
ifneq ($(SLOT),loader)
CORE    += mac.o
DEVICE  += sealed-link.c
# By its whole path: another example may have one at the same place below its own folder.
MAC_C   := $(CURDIR)/$(BUILD)/mac.c
override DEFINES += '-DSERIAL_DEVICE_LINK_KEY={$(shell echo $(LINK_KEY) | sed 's/../0x&,/g')}'
endif
endif

CC      := $(PREFIX)gcc
# What any build of the core needs, in one file: types are reached through memory, and what is not called is dropped.
NEEDED  := @$(SUPPORT)/needed.flags -ffreestanding
STRICT  := @$(SUPPORT)/strict.flags
INCLUDE := -isystem $(SUPPORT)/boards/libc $(INCLUDE_CORE) $(INCLUDE_OWN) -I$(BUILD) -I$(SUPPORT) -I$(SUPPORT)/boards -I$(ROOT)/edge-sdk/include
OURS    := $(SOURCES) $(DEVICE) $(UPDATES) $(STORE) $(BOARDS)
OBJECTS := $(CORE:%=$(BUILD)/%) $(OURS:%.c=$(BUILD)/%.o)
ELF     := $(BUILD)/$(NAME).elf
# Written anew when it changes, and every object with it: a name, a rate or a flag given on the command line counts too.
FLAGS   := $(BUILD)/flags
vpath %.c . $(SUPPORT) $(SUPPORT)/boards $(EXTRA_PATH)

ifeq ($(FORM),image)
images: loader slot-0 slot-1
# The image of a slot, as its package has it: build/BOARD-slot-N/NAME.bin.
slot-0 slot-1 loader:
	$(MAKE) --no-print-directory SLOT=$(@:slot-%=%) body
body: $(ELF)
	$(PREFIX)objcopy -O binary $(ELF) $(ELF:.elf=.bin)
.PHONY: images slot-0 slot-1 loader body
else ifeq ($(FORM),module)
images: $(ELF)
.PHONY: images
endif

$(ELF): $(OBJECTS)
	$(CC) $(CPU) -nostartfiles -nostdlib -L$(SUPPORT)/boards -T $(SCRIPT) -Wl,--gc-sections,-Map=$(BUILD)/$(NAME).map -o $@ $(OBJECTS) -lgcc

$(BUILD)/core.c: $(WASM) $(FLAGS)
	mkdir -p $(BUILD)
	$(WASM2C) $< -n core -o $@ --fixed $(FIXED)

# The model's identity, as bytes for C.
$(BUILD)/core-id.h: $(WASM)
	mkdir -p $(BUILD)
	sha256sum $< | cut -c 1-64 | sed 's/../0x&,/g; s/.*/#define CORE_SHA256 {&}/' > $@

# Generated, and full of what no integer module calls; its marks on loads are for guard pages (wasm-rt.h).
$(BUILD)/core.o: $(BUILD)/core.c $(FLAGS) $(SUPPORT)/needed.flags
	$(CC) $(CPU) $(NEEDED) -MMD -MP -w -DWASM_RT_PLAIN_LOADS $(CORE_BYTES:%=-DWASM_RT_FIXED_BYTES=%) $(CFLAGS) $(CORE_FLAGS) $(INCLUDE) -c -o $@ $<

ifdef FORM
$(BUILD)/update.c: $(UPDATE_WASM)
	mkdir -p $(BUILD)
	$(WASM2C) $< -n update -o $@

$(BUILD)/update.o: $(BUILD)/update.c $(FLAGS) $(SUPPORT)/needed.flags
	$(CC) $(CPU) $(NEEDED) -MMD -MP -w -DWASM_RT_PLAIN_LOADS -DWASM_RT_FIXED_BYTES=$(UPDATE_BYTES) $(CFLAGS) $(CORE_FLAGS) $(INCLUDE) -c -o $@ $<

UPDATE_C := $(BUILD)/update.c
endif

ifneq ($(MAC_C),)
$(MAC_C): $(MAC_WASM)
	mkdir -p $(BUILD)
	$(WASM2C) $< -n mac -o $@

$(BUILD)/mac.o: $(MAC_C) $(FLAGS) $(SUPPORT)/needed.flags
	$(CC) $(CPU) $(NEEDED) -MMD -MP -w -DWASM_RT_PLAIN_LOADS $(CFLAGS) $(CORE_FLAGS) $(INCLUDE) -c -o $@ $<
endif

$(BUILD)/%.o: %.c $(UPDATE_C) $(MAC_C) $(BUILD)/core.c $(BUILD)/core-id.h $(FLAGS) $(SUPPORT)/needed.flags $(SUPPORT)/strict.flags
	$(CC) $(CPU) $(NEEDED) -MMD -MP $(STRICT) $(CFLAGS) $(DEFINES) -DDEVICE_NAME='"$(DEVICE_NAME)"' $(INCLUDE) -c -o $@ $<

$(FLAGS): FORCE
	@mkdir -p $(BUILD)
	@echo '$(CC) $(CPU) $(CFLAGS) $(CORE_FLAGS) $(DEFINES) $(FIXED) $(DEVICE_NAME)' | cmp -s - $@ || \
	  echo '$(CC) $(CPU) $(CFLAGS) $(CORE_FLAGS) $(DEFINES) $(FIXED) $(DEVICE_NAME)' > $@

-include $(OBJECTS:.o=.d)

# Where each source of ours lies; the boards' own have a check of their own.
CHECKED := $(foreach file,$(filter-out $(BOARDS),$(SOURCES) serial-device.c serial-framing.c device.c $(if $(MAC_C),sealed-link.c) $(STORE) $(UPDATES)), \
  $(firstword $(wildcard $(file) $(addsuffix /$(file),$(SUPPORT) $(EXTRA_PATH)))))

.PHONY: run size check clean FORCE
# A flash image is as large as virt's second chip; what it holds at first does not matter.
ifdef FORM
# Made once, and kept: what was sent to the device is in it.
$(FLASH): | images
	$(MAKE_FLASH) $(BOARD) $(BODY) $(VERSION) $@
run: images $(FLASH)
	$(QEMU) -display none -monitor none -serial pty $(LOADER) $(RESIDENT)
else
run: $(ELF)
	$(if $(FLASH),truncate -s 32M $(FLASH))
	$(QEMU) -display none -monitor none -no-reboot -serial pty $(LOADER) $(ELF)
endif

size: $(ELF)
	@$(PREFIX)size $(ELF)
	@awk -f $(SUPPORT)/map-parts.awk $(BUILD)/$(NAME).map

check:
	cppcheck --std=c99 --enable=warning,style,performance,portability --error-exitcode=1 --inline-suppr --quiet \
	  --suppress=missingIncludeSystem -I$(SUPPORT) -I$(SUPPORT)/boards -I$(ROOT)/edge-sdk/include -DDEVICE_NAME='"x"' \
	  $(INCLUDE_OWN) $(INCLUDE_CORE) $(filter -D%,$(DEFINES)) $(CHECKED)

clean:
	rm -rf build
