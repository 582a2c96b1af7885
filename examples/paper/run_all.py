"""Run all experiments, one after another, and write README.md.

    python examples/paper/run_all.py --data DATA --weights alex=PATH

It takes what each script takes, such as `--scale full`. Experiments that do not have
that scale are left out. An experiment that fails does not keep the others from running;
the exit status then is 1. Run again, it goes on where it stopped.
"""

import argparse
import importlib
import subprocess
import sys

from harness import HERE
from report import EXPERIMENTS


def main(arguments):
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--scale", default="small")
    scale = parser.parse_known_args(arguments)[0].scale
    failed = []
    for name in EXPERIMENTS:
        if scale not in importlib.import_module(name).CONFIGS:
            print(f"=== {name}: not at the scale {scale}", flush=True)
            continue
        print(f"=== {name}", flush=True)
        command = [sys.executable, str(HERE / f"{name}.py"), *arguments]
        if subprocess.call(command) != 0:
            failed.append(name)
    if subprocess.call([sys.executable, str(HERE / "report.py")]) != 0:
        failed.append("report")
    print(f"failed: {', '.join(failed)}" if failed else "all done")
    return 1 if failed else 0


if __name__ == "__main__":
    if "-h" in sys.argv or "--help" in sys.argv:
        print(__doc__)
        sys.exit()
    sys.exit(main(sys.argv[1:]))
