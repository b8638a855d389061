"""Times commands as whole processes, in turn, so that a drift of the machine hits all alike.

    measure.run({"name": command, ...}, runs=5) -> {"name": Result}

A command is a list of arguments, or a string for the shell. Output is thrown away. The figures are the operating
system's own of each finished run; quote medians and ratios of one call."""
import os
import statistics
import subprocess
import sys
import time


class Result:
    def __init__(self):
        self.wall, self.cpu, self.peak_mib = [], [], []

    def median(self, what="wall"):
        return statistics.median(getattr(self, what))


def once(command, result=None):
    shell = isinstance(command, str)
    start = time.perf_counter()
    with open(os.devnull, "wb") as sink:
        child = subprocess.Popen(command, shell=shell, executable="/bin/bash" if shell else None,
                                 stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.PIPE)
        message = child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"bench: {command}: exit {child.returncode}: {message[-300:]!r}")
    if result is not None:
        result.wall.append(wall)
        result.cpu.append(usage.ru_utime + usage.ru_stime)
        result.peak_mib.append(usage.ru_maxrss / 1024)


def run(commands, runs=5, warmup=1):
    results = {name: Result() for name in commands}
    for turn in range(warmup + runs):
        for name, command in commands.items():
            once(command, results[name] if turn >= warmup else None)
    return results


def table(results, base, bytes_read=None):
    width = max(len(name) for name in results)
    for name, r in results.items():
        line = (f"  {name:{width}}  wall {r.median():7.3f} s ({min(r.wall):.3f} to {max(r.wall):.3f})"
                f"  cpu {r.median('cpu'):7.3f} s  peak {max(r.peak_mib):7.1f} MiB")
        line += f"  x {base}: {r.median() / results[base].median():6.2f}"
        if bytes_read:
            line += f"  {bytes_read / r.median() / 1e9:5.2f} GB/s"
        print(line)
