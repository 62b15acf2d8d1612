# writes-json.py COUNT: JSON lines with characters of two bytes, written as C's standard output writes to a pipe:
# in pieces of 4 kB, which may end anywhere. The pauses between the pieces are longer than 100 ms.
import json
import os
import sys
import time

records = ({"number": number, "text": "é" * 60} for number in range(int(sys.argv[1])))
lines = (json.dumps(record, ensure_ascii=False) + "\n" for record in records)
data = "".join(lines).encode()
for start in range(0, len(data), 4096):
    os.write(1, data[start:start + 4096])
    time.sleep(0.15)
