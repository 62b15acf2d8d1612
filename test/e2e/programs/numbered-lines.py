# Prints numbered lines in bursts of different sizes. Arguments: name, number of lines, lines a second.
import sys
import time

name, count, rate = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
burst = max(1, rate // 100)
out = sys.stdout.buffer
for first in range(1, count + 1, burst):
    out.write(b"".join(b"%s %d\n" % (name.encode(), n) for n in range(first, min(first + burst, count + 1))))
    out.flush()
    time.sleep(burst / rate)
print(name, "done", flush=True)
time.sleep(100000)
