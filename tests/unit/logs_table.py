"""What is to be seen in every log of a corpus, told by Python's json and nothing of
ours. Prints the rows of logs_table.h:

    logs_table.py ../shared/logs > tests/unit/logs_table.h

Needs the `zstd` tool and, for lz4 and snappy, the package `cramjam`."""

import gzip
import json
import os
import re
import struct
import subprocess
import sys

ROOT = sys.argv[1]


def decode(path):
    with open(path, "rb") as f:
        data = f.read()
    if data[:4] == b"\x28\xb5\x2f\xfd":
        done = subprocess.run(["zstd", "-dcq", path], capture_output=True)
        return done.stdout, done.returncode != 0
    if data[:2] == b"\x1f\x8b":
        return gzip.decompress(data), False
    if data[:8] == b"LZ4Block":
        import cramjam
        out, at = [], 0
        while at + 21 <= len(data):
            token, packed, size = struct.unpack_from("<BII", data, at + 8)
            body = data[at + 21:at + 21 + packed]
            if len(body) < packed:
                return b"".join(out), True
            if token & 0xF0 == 0x10:
                out.append(body)
            elif size:
                out.append(bytes(cramjam.lz4.decompress_block(body, output_len=size)))
            at += 21 + packed
        return b"".join(out), False
    if data[:8] == b"\x82SNAPPY\x00":
        import cramjam
        out, at = [], 16
        while at + 4 <= len(data):
            size = struct.unpack_from(">i", data, at)[0]
            out.append(bytes(cramjam.snappy.decompress_raw(data[at + 4:at + 4 + size])))
            at += 4 + size
        return b"".join(out), False
    return data, False


def parts_of(path):
    if os.path.isfile(path):
        return [path]
    names = [n for n in os.listdir(path) if not n.startswith(".")]
    events = [n for n in names if n.startswith("events_")]
    if events:
        index = lambda n: int(n.split("_")[1])
        covered = max([index(n) for n in events if n.endswith(".compact")], default=0)
        events = [n for n in events if n.endswith(".compact") or index(n) > covered]
        return [os.path.join(path, n) for n in sorted(events, key=index)]
    dated = sorted(n for n in names if re.match(r"eventlog-\d{4}", n))
    return [os.path.join(path, n) for n in dated + ["eventlog"]]


SQL = "org.apache.spark.sql.execution.ui.SparkListener"


def look(path):
    r = dict(lines=0, bad=0, bad_line=0, starts=0, ends=0, ok=0, killed=0, failed=0, resubmitted=0,
             lost_ends=0, removed=0, run_ms=0, finished=False, app="")
    jobs, started_jobs, stages, sqls, ended, running = set(), set(), set(), set(), set(), set()
    cut = False
    for part in parts_of(path):
        text, broken = decode(part)
        cut |= broken
        lines = text.split(b"\n")
        if lines and lines[-1] == b"":
            lines.pop()
        for line in lines:
            r["lines"] += 1
            try:
                e = json.loads(line.decode("utf-8", "replace"))
                name = e["Event"]
            except (ValueError, KeyError, TypeError):
                r["bad"] += 1
                r["bad_line"] = r["bad_line"] or r["lines"]
                continue
            short = name.replace("SparkListener", "", 1)
            if short == "ApplicationStart":
                r["app"] = r["app"] or e["App ID"]
            elif short == "ApplicationEnd":
                r["finished"] = True
            elif short == "ExecutorRemoved":
                r["removed"] += 1
            elif short == "JobStart":
                jobs.add(e["Job ID"])
                started_jobs.add(e["Job ID"])
                for s in e["Stage Infos"]:
                    stages.add((s["Stage ID"], s.get("Stage Attempt ID", 0)))
            elif short == "JobEnd":
                jobs.add(e["Job ID"])
            elif short in ("StageSubmitted", "StageCompleted"):
                s = e["Stage Info"]
                stages.add((s["Stage ID"], s.get("Stage Attempt ID", 0)))
            elif short == "TaskStart":
                r["starts"] += 1
                stages.add((e["Stage ID"], e.get("Stage Attempt ID", 0)))
                running.add(e["Task Info"]["Task ID"])
            elif short == "TaskEnd":
                r["ends"] += 1
                stages.add((e["Stage ID"], e.get("Stage Attempt ID", 0)))
                reason, task = e["Task End Reason"]["Reason"], e["Task Info"]["Task ID"]
                r["ok"] += reason == "Success"
                killed = reason in ("TaskKilled", "TaskCommitDenied")
                r["killed"] += killed
                r["failed"] += reason != "Success" and not killed
                r["resubmitted"] += reason == "Resubmitted"
                r["lost_ends"] += task not in running
                if task not in ended and "Task Metrics" in e:
                    r["run_ms"] += e["Task Metrics"]["Executor Run Time"]
                ended.add(task)
            elif name.startswith(SQL) and "executionId" in e:
                sqls.add(e["executionId"])
            elif name.startswith(SQL) and "executionId" not in e and "SQL" in name:
                sqls.add(0)
    r.update(jobs=len(jobs), unstarted=len(jobs - started_jobs), stages=len(stages), sqls=len(sqls), cut=cut)
    return r


def main():
    places = []
    for folder in ("real", "minimal", "history-server", "labelled"):
        for here, dirs, files in sorted(os.walk(os.path.join(ROOT, folder))):
            names = [n for n in files if not n.startswith((".", "appstatus")) and not n.endswith((".json", ".md"))]
            if os.path.basename(here).startswith("eventlog_v2_") or "eventlog" in names:
                places.append(here)
            else:
                places += [os.path.join(here, n) for n in sorted(names)]
    print("/* Made by logs_table.py: one row for every log of the corpus. */")
    for p in places:
        r = look(p)
        print('{ "%s", "%s", %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %s, %s, %d },' % (
            os.path.relpath(p, ROOT), r["app"], r["lines"], r["bad"], r["bad_line"], r["starts"], r["ends"], r["ok"],
            r["failed"], r["killed"], r["resubmitted"], r["lost_ends"], r["jobs"], r["unstarted"], r["stages"], r["sqls"],
            r["removed"], str(r["finished"]).lower(), str(r["cut"]).lower(), r["run_ms"]))


main()
