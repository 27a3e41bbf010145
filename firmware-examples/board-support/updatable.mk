# For firmware.mk: a device whose module or image is replaced over the air. The Makefile says FORM := module or image, and with
# an image also SLOT := 0, 1 or loader, the part of it that is made.
UPDATE_WASM ?= $(ROOT)/edge-sdk/build/update.wasm
# Bytes that its memory always has, as update-device.h says: what its accesses are checked against.
UPDATE_BYTES := $(shell sed -n 's/^.define UPDATE_DEVICE_MEMORY_BYTES \([0-9]*\)u$$/\1/p' $(SUPPORT)/update-device.h)
override DEFINES += -DBOARD_RESTARTS

ifeq ($(BOARD),mps2-an386)
BOARDS      += restart.c cmsdk-watchdog.c model-flash.c mps2-slots.c
STORE       := store-retained.c
QEMU        = qemu-system-arm -M mps2-an386 -semihosting-config enable=on,target=native -object memory-backend-file,id=flash,mem-path=$(FLASH),size=16M,share=on -machine memory-backend=flash -action reboot=reset
else
BOARDS      += restart.c virt-slots.c
QEMU        = qemu-system-riscv32 -M virt -drive if=pflash,unit=1,format=raw,file=$(FLASH)
endif

UPDATES     := slots.c boot-record.c $(filter-out $(STORE),crc32.c)
# What stays, and what a factory puts into slot 0 beside it.
MAKE_FLASH  ?= node $(ROOT)/scripts/make-flash.js
FLASH       := build/$(BOARD)-$(FORM).bin
RESIDENT    := build/$(BOARD)$(if $(filter image,$(FORM)),-loader)/$(NAME).elf
BODY        := $(if $(filter image,$(FORM)),build/$(BOARD)-slot-0/$(NAME).bin,$(WASM))

ifeq ($(FORM),module)
SCRIPT      := $(SCRIPT:.ld=-resident.ld)
CORE        := update.o
UPDATES     += update-device.c module-body.c self-test.c sha256.c interpreted-core.c
UPDATES     += check-module.c check-code.c check-labels.c binary-format.c start.c execute.c wide.c
INCLUDE_CORE := -I$(SUPPORT)/interpreted -I$(SUPPORT)/interpreter
override DEFINES += -DUPDATE_FORM=UPDATE_FORM_MODULE
EXTRA_PATH  += $(SUPPORT)/interpreter
else ifeq ($(SLOT),loader)
SCRIPT      := $(SCRIPT:.ld=-resident.ld)
CORE        :=
else
SCRIPT      := mps2-slot-$(SLOT).ld
CORE        := core.o update.o
UPDATES     += update-device.c image-body.c self-test.c sha256.c
# Bytes of memory that the program lends its core, where it says so by CORE_BYTES: what the core's accesses are checked against.
ifneq ($(CORE_BYTES),)
override DEFINES += -DCORE_BYTES=$(CORE_BYTES)u
endif
override DEFINES += -DUPDATE_FORM=UPDATE_FORM_IMAGE '-DUPDATE_TARGET="$(BOARD)/$(NAME)"'
endif
ifneq ($(SLOT),loader)
override DEFINES += -DSERIAL_DEVICE_UPDATES -DSERIAL_DEVICE_RECEIVED_BYTES=512
ifneq ($(TRUSTED_KEY),)
override DEFINES += '-DTRUSTED_KEY=$(TRUSTED_KEY)'
endif
else
DEVICE      :=
endif
