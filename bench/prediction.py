"""Predictions of `spillway whatif` against the labelled logs' measurements: see bench/prediction."""
import glob
import json
import math
import os
import subprocess
import sys

SPILLWAY, LOGS = sys.argv[1:]


def labels(name):
    with open(os.path.join(LOGS, name, "labels.json"), encoding="utf-8") as f:
        return json.load(f)


def log_of(name):
    return next(p for p in sorted(glob.glob(os.path.join(LOGS, name, "*"))) if not p.endswith("labels.json"))


def whatif(name, *options):
    run = subprocess.run([SPILLWAY, "whatif", "-q", log_of(name), *options, "--json"], capture_output=True, text=True)
    return json.loads(run.stdout) if run.returncode == 0 else None


def replays(names):
    errors = []
    for name in names:
        answer = whatif(name, "--data", "1") if labels(name)["complete"] else None
        if answer:
            now = answer["wall_ms_now"]
            errors.append((abs(answer["wall_ms_replayed"] - now) / now, name))
    errors.sort()
    print(f"replay without an edit, {len(errors)} complete logs: median {errors[len(errors) // 2][0]:.3%}, "
          f"ninth decile {errors[len(errors) * 9 // 10][0]:.3%}, worst {errors[-1][0]:.3%} ({errors[-1][1]})")


def close(predicted, measured):
    return predicted["low"] <= measured <= predicted["high"]


class Score:
    """How many predictions of a table came true, and the printing of its rows."""

    def __init__(self, title, tolerance):
        self.tolerance, self.rows, self.near, self.noisy, self.inside = tolerance, 0, 0, 0, 0
        print(f"\n{title}\n{'':44}{'measured':>9}{'predicted':>10}{'range':>18}{'error':>8}")

    def row(self, what, measured, predicted, scale, noise=0):
        error = (predicted["expected"] - measured) / scale
        self.rows += 1
        self.near += abs(error) <= self.tolerance
        self.noisy += abs(error) > self.tolerance and abs(error) * scale <= noise
        self.inside += close(predicted, measured)
        span = f"{predicted['low']} to {predicted['high']}"
        print(f"{what:44}{measured:9}{predicted['expected']:10}{span:>18}{error:8.0%}")

    def total(self):
        noisy = f", {self.noisy} more within the runs' noise" if self.noisy else ""
        print(f"{self.near} of {self.rows} within {self.tolerance:.0%}{noisy}, {self.inside} inside the range")


def series(title, names, option, value):
    score = Score(title, 0.2)
    for group in names:
        first = group[0]
        for name in group[1:]:
            answer = whatif(first, option, value(name))
            score.row(f"{name} from {first}", labels(name)["measured"]["app_wall_ms"], answer["wall_ms_predicted"],
                      labels(name)["measured"]["app_wall_ms"])
    score.total()


def noise_of(wall_ms):
    """Nine in ten of what two equal runs differ by: analyzer/forecast.h."""
    return 1.645 * math.sqrt(2) * math.hypot(0.07 * wall_ms, 240)


def pairs(names):
    score = Score("fixed twins: ms saved by all findings put right, against the twin's (jobs)", 0.25)
    for name in names:
        before = labels(name).get("fixes")
        if not before:
            continue
        answer = whatif(before, "--fix", "all")
        now, wall = answer["wall_ms_now"], answer["wall_ms_predicted"]
        jobs = [labels(n)["measured"]["jobs_wall_ms"] for n in (before, name)]
        saved = {"low": now - wall["high"], "expected": now - wall["expected"], "high": now - wall["low"]}
        score.row(f"{before} -> {name}", jobs[0] - jobs[1], saved, max(abs(jobs[0] - jobs[1]), 1), noise_of(jobs[1]))
    score.total()


def main():
    names = sorted(os.path.basename(os.path.dirname(p)) for p in glob.glob(os.path.join(LOGS, "*", "labels.json")))
    replays(names)
    sizes = {}
    for name in names:
        if labels(name).get("scale"):
            sizes.setdefault(labels(name)["series"], []).append((labels(name)["scale"], name))
    series("series of data, from the 1x run: wall ms", [[n for _, n in sorted(s)] for s in sizes.values()], "--data",
           lambda n: f"{labels(n)['scale']}x")
    cores = sorted((labels(n)["cores"], n) for n in names if labels(n).get("cores") and labels(n).get("series") == "cores")
    series("series of cores, from one core (the machine had two): wall ms", [[n for _, n in cores]], "--cores",
           lambda n: str(labels(n)["cores"]))
    pairs(names)


main()
