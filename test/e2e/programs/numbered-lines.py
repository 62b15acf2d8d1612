# Prints numbered lines in bursts of different sizes, and then how many there were. Arguments: name, number of lines,
# lines a second; a file that ends it sooner.
import os
import sys
import time

name, count, rate = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
enough = sys.argv[4] if len(sys.argv) > 4 else ""
burst = max(1, rate // 100)
out = sys.stdout.buffer
first = 1
while first <= count and not os.path.exists(enough):
    past = min(first + burst, count + 1)
    out.write(b"".join(b"%s %d\n" % (name.encode(), n) for n in range(first, past)))
    out.flush()
    first = past
    time.sleep(burst / rate)
print(name, "done", first - 1, flush=True)
time.sleep(100000)
