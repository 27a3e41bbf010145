# Bytes of a linker's map by part: flash (code, constants, first values) and memory (data, zeros), of the core, the store,
# the rest of the device, and the board; and of memory what is set aside for the stack.
function part(object) {
  sub(/.*\//, "", object)
  if (object == "core.o" || object == "wasm-rt.o") return "core"
  if (object ~ /^(flash-log|crc32|flash-ring|flash-rebuild|ring-image|store-flash|store-none|cfi-flash)\.o$/) return "store"
  if (object ~ /^(device|serial-device|serial-framing|main|rotor)\.o$/) return "device"
  return "board"
}
function count(size, object) {
  if (memory != "ram") flash[part(object)] += size
  if (memory != "flash") ram[part(object)] += size
}
function hex(text,  i, value) {
  value = 0
  for (i = 3; i <= length(text); i++) value = value * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1
  return value
}
/^Linker script and memory map/ { linked = 1 }
/^\.(text|rodata)/ { memory = "flash" }
/^\.data/ { memory = "both" }
/^\.(bss|stack|retained)/ { memory = "ram" }
linked && /^\.stack/ { stack = hex($3) }
/^\/DISCARD\/|^OUTPUT|^\.(comment|debug|riscv|ARM)/ { linked = 0 }
linked && NF == 1 && /^ \.[a-z]/ { getline rest; $0 = $0 rest }
linked && /^ [.C]/ && $3 ~ /^0x/ && $4 ~ /(\.o|\.o\))$/ { count(hex($3), $4) }
END {
  printf "%-8s %8s %8s\n", "part", "flash", "memory"
  n = split("core device store board", names, " ")
  for (i = 1; i <= n; i++) printf "%-8s %8d %8d\n", names[i], flash[names[i]], ram[names[i]]
  printf "%-8s %8d %8d\n", "stack", 0, stack
}
