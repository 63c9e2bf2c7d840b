"""Imports the modules named in a file, and nothing of ours; prints seconds and resident MB.

Usage: python benchmarks/importing.py FILE BEGAN
"""

import importlib
import json
import sys
import time
from pathlib import Path

if __name__ == "__main__":
    for name in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")):
        try:
            importlib.import_module(name)
        except Exception:  # noqa: BLE001, S112 - a name that is made at run time is no module
            continue
    seconds = time.perf_counter() - float(sys.argv[2])
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    sys.stdout.write(json.dumps({"seconds": seconds, "mb": pages * 4 / 1024}))
