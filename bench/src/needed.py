# Run by gdb: which functions of a program the process $PROCESS enters within the seconds of $WATCH_FOR. Their names go to the
# file $NAMES, a line each. For x86 only, whose instruction for a breakpoint is one octet: gdb's own breakpoints would take
# seconds for so many functions, and a daemon that stands still for seconds gives up its role.

import os
import re
import signal
import subprocess
import threading

import gdb

BREAKPOINT = b"\xcc"

process = int(os.environ["PROCESS"])
program = os.readlink(f"/proc/{process}/exe")
with open(f"/proc/{process}/maps") as maps:
    base = next(int(line.split("-")[0], 16) for line in maps if line.rstrip().endswith(program))
symbols = subprocess.run(["nm", "--defined-only", program], check=True, capture_output=True, text=True).stdout
functions = re.findall(r"^([0-9a-f]+) [tTwW] (\S+)$", symbols, re.MULTILINE)
functions = {base + int(address, 16): name for address, name in functions}

gdb.execute("set pagination off")
gdb.execute("set auto-solib-add off")
gdb.execute(f"attach {process}")
gdb.execute("handle all nostop noprint pass")
# No daemon can block the second one.
gdb.execute("handle SIGTRAP SIGSTOP stop nopass")
memory = gdb.selected_inferior()
before = {address: bytes(memory.read_memory(address, 1)) for address in functions}
for address in functions:
    memory.write_memory(address, BREAKPOINT)
threading.Timer(float(os.environ["WATCH_FOR"]), os.kill, (process, signal.SIGSTOP)).start()
entered = set()
while True:
    gdb.execute("continue", to_string=True)
    address = int(gdb.parse_and_eval("$pc")) - 1
    if address not in functions:
        break
    # Other threads may have come here before it was taken away.
    memory.write_memory(address, before[address])
    gdb.execute(f"set $pc = {address}")
    entered.add(functions[address])
for address, octet in before.items():
    memory.write_memory(address, octet)
with open(os.environ["NAMES"], "w") as names:
    names.writelines(f"{name}\n" for name in sorted(entered))
gdb.execute("detach")
