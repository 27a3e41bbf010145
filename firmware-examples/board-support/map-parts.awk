# Bytes of a linker's map by part: flash (code, constants, first values) and memory (data, zeros), of the core, the store,
# the rest of the device, and the board; and of memory what is set aside for the stack. Where firmware can be replaced, also of
# the interpreter, the update machine with Ed25519, what boots, and the model of a flash chip; with a link key, of its MACs.
function part(object) {
  sub(/.*\//, "", object)
  if (object == "core.o" || object == "wasm-rt.o") return "core"
  if (object == "crc32.o" && !has_log) return "boot"
  if (object ~ /^(flash-log|crc32|flash-ring|flash-rebuild|ring-image|store-flash|store-none|store-retained|cfi-flash)\.o$/) return "store"
  if (object ~ /^(device|serial-device|serial-framing|main|module-main|image-main|updatable-rotor|rotor)\.o$/) return "device"
  if (object ~ /^(check-module|check-code|check-labels|binary-format|start|execute|wide|interpreted-core)\.o$/) return "interp"
  if (object ~ /^(update|update-device)\.o$/) return "update"
  if (object ~ /^(mac|sealed-link)\.o$/) return "mac"
  if (object ~ /^(boot-record|slots|restart|module-body|image-body|self-test|sha256|crc32|cmsdk-watchdog)\.o$/) return "boot"
  if (object ~ /^(model-flash|mps2-slots|virt-slots)\.o$/) return "model"
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
/flash-log\.o/ { has_log = 1 }
/^Linker script and memory map/ { linked = 1 }
/^\.(text|rodata)/ { memory = "flash" }
/^\.data/ { memory = "both" }
/^\.(bss|stack|retained)/ { memory = "ram"; linked = 1 }
linked && /^\.stack/ { stack = hex($3) }
/^\/DISCARD\/|^OUTPUT|^\.(comment|debug|riscv|ARM)/ { linked = 0 }
linked && NF == 1 && /^ \.[a-z]/ { getline rest; $0 = $0 rest }
linked && /^ [.C]/ && $3 ~ /^0x/ && $4 ~ /(\.o|\.o\))$/ { count(hex($3), $4) }
END {
  printf "%-8s %8s %8s\n", "part", "flash", "memory"
  n = split("core device store interp update mac boot model board", names, " ")
  for (i = 1; i <= n; i++) if (i <= 3 || i == n || flash[names[i]] > 0) printf "%-8s %8d %8d\n", names[i], flash[names[i]], ram[names[i]]
  printf "%-8s %8d %8d\n", "stack", 0, stack
}
