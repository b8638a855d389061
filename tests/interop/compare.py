"""Compares `spillway analyze --json` with what a running History Server answers.

    compare.py SPILLWAY LOG_DIR TEXT_DIR SCRATCH VERSION URL

For every application in LOG_DIR: jobs, stage attempts, quantiles, executors, SQL
executions with all metric texts; the zip that the server exports; and, in TEXT_DIR,
Spark's own decoding of the same log. Prints one line per check that fails and at last
"N passed, N failed, N skipped". What differs on purpose is stated where it is compared."""

import decimal
import json
import math
import os
import re
import struct
import subprocess
import sys
import time
import urllib.request
from datetime import datetime, timezone

SPILLWAY, LOGS, TEXTS, SCRATCH, VERSION, URL = sys.argv[1:7]
API = URL + "/api/v1/applications"
counts = {"passed": 0, "failed": 0, "skipped": 0}


def fetch(path, raw=False):
    with urllib.request.urlopen(API + path, timeout=60) as answer:
        data = answer.read()
    return data if raw else json.loads(data)


def analyze(path):
    done = subprocess.run([SPILLWAY, "analyze", "--json", path], capture_output=True, timeout=120)
    if not done.stdout:
        raise RuntimeError("%s: exit %d: %s" % (path, done.returncode, done.stderr.decode()[:300]))
    return json.loads(done.stdout)


def ms(text):
    """"2023-11-14T22:13:20.200GMT" as milliseconds; None stays None."""
    if text is None:
        return None
    return int(datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fGMT").replace(tzinfo=timezone.utc).timestamp() * 1000 + 0.5)


class Check:
    """One area of one application: many values, one verdict."""

    def __init__(self, name):
        self.name, self.values, self.wrong = name, 0, []

    def same(self, what, server, ours):
        self.values += 1
        if server != ours:
            self.wrong.append("%s: server %r, ours %r" % (what, server, ours))

    def done(self):
        if self.wrong:
            counts["failed"] += 1
            print("FAILED %s: %d of %d values" % (self.name, len(self.wrong), self.values))
            for line in self.wrong[:6]:
                print("    " + line[:400])
        else:
            counts["passed"] += 1


# --- jobs and stages -----------------------------------------------------------------

JOB_STATUS = {"SUCCEEDED": "succeeded", "FAILED": "failed", "RUNNING": "running", "UNKNOWN": "running"}


def jobs(check, server, ours, attempts):
    mine = {j["job_id"]: j for j in ours["jobs"]}
    check.same("job ids", sorted(j["jobId"] for j in server), sorted(mine))
    for s in server:
        o, name = mine.get(s["jobId"]), "job %d " % s["jobId"]
        if not o:
            continue
        check.same(name + "status", JOB_STATUS[s["status"]], o["status"])
        check.same(name + "name", s["name"], o["name"])
        check.same(name + "description", s.get("description"), o["description"])
        check.same(name + "submitted", ms(s.get("submissionTime")), o["submitted_ms"])
        check.same(name + "completed", ms(s.get("completionTime")), o["completed_ms"])
        check.same(name + "stages", sorted(s["stageIds"]), o["stage_ids"])
        check.same(name + "tasks", s["numTasks"], o["tasks"])
        check.same(name + "completed tasks", s["numCompletedTasks"], o["completed_tasks"])
        check.same(name + "failed tasks", s["numFailedTasks"], o["failed_tasks"])
        # the server writes a job once more after its end, with the last task's end: where one is not
        # in the log, what was killed with the job is missing in the server's number
        if s["numActiveTasks"] <= 0 or s["numKilledTasks"] > o["killed_tasks"]:
            check.same(name + "killed tasks", s["numKilledTasks"], o["killed_tasks"])
        # a stage skipped at first and run again later counts as skipped for the server only
        if not any(attempts.get(i, 1) > 1 for i in s["stageIds"]):
            check.same(name + "skipped stages", s["numSkippedStages"], len(o["skipped_stage_ids"]))


STAGE_NUMBERS = {  # ours: server's
    "tasks": "numTasks", "completed_tasks": "numCompleteTasks", "failed_tasks": "numFailedTasks",
    "killed_tasks": "numKilledTasks", "run_ms": "executorRunTime", "cpu_ns": "executorCpuTime",
    "gc_ms": "jvmGcTime", "deserialize_ms": "executorDeserializeTime",
    "result_serialize_ms": "resultSerializationTime", "input_bytes": "inputBytes",
    "input_rows": "inputRecords", "output_bytes": "outputBytes", "output_rows": "outputRecords",
    "shuffle_read_bytes": "shuffleReadBytes", "shuffle_read_rows": "shuffleReadRecords",
    "shuffle_remote_bytes": "shuffleRemoteBytesRead", "shuffle_fetch_wait_ms": "shuffleFetchWaitTime",
    "shuffle_write_bytes": "shuffleWriteBytes", "shuffle_write_rows": "shuffleWriteRecords",
    "shuffle_write_ns": "shuffleWriteTime", "spill_memory_bytes": "memoryBytesSpilled",
    "spill_disk_bytes": "diskBytesSpilled", "peak_execution_bytes": "peakExecutionMemory",
}
QUANTILES = {
    "run_ms": ("executorRunTime",), "gc_ms": ("jvmGcTime",), "spill_disk_bytes": ("diskBytesSpilled",),
    "peak_execution_bytes": ("peakExecutionMemory",), "input_bytes": ("inputMetrics", "bytesRead"),
    "shuffle_read_bytes": ("shuffleReadMetrics", "readBytes"),
    "shuffle_write_bytes": ("shuffleWriteMetrics", "writeBytes"), "duration_ms": ("duration",),
}


def stages(check, app_id, server, ours):
    mine = {(s["stage_id"], s["attempt"]): s for s in ours["stages"]}
    check.same("stage attempts", sorted((s["stageId"], s["attemptId"]) for s in server), sorted(mine))
    for s in server:
        key = (s["stageId"], s["attemptId"])
        o, name = mine.get(key), "stage %d.%d " % key
        if not o:
            continue
        check.same(name + "status", s["status"].lower(), o["status"])
        check.same(name + "name", s["name"], o["name"])
        check.same(name + "submitted", ms(s.get("submissionTime")), o["submitted_ms"])
        check.same(name + "completed", ms(s.get("completionTime")), o["completed_ms"])
        check.same(name + "failure", s.get("failureReason", "").split("\n")[0] or None, o["failure"] and o["failure"].split("\n")[0])
        ran = s["numCompleteTasks"] + s["numFailedTasks"] + s["numKilledTasks"]
        for ours_key, key_there in STAGE_NUMBERS.items():
            if o[ours_key] is not None or ran:
                check.same(name + ours_key, s[key_there], o[ours_key] if o[ours_key] is not None else 0)
        if ran:
            tasks(check, app_id, s, o, name)


def tasks(check, app_id, s, o, name):
    path = "/%s/stages/%d/%d" % (app_id, s["stageId"], s["attemptId"])
    rows = fetch(path + "/taskList?length=100000")
    ended = [t for t in rows if t["status"] != "RUNNING"]
    check.same(name + "sum of durations", sum(t.get("duration", 0) for t in ended), o["duration_ms"])
    check.same(name + "sum of scheduler delays", sum(t["schedulerDelay"] for t in ended), o["scheduler_delay_ms"])
    check.same(name + "sum of result times", sum(t["gettingResultTime"] for t in ended), o["getting_result_ms"])
    check.same(name + "speculative tasks", sum(t["speculative"] for t in rows), o["speculative_tasks"])
    good = [t for t in ended if t["status"] == "SUCCESS"]
    try:
        summary = fetch(path + "/taskSummary?quantiles=0,0.25,0.5,0.75,1")
    except urllib.error.HTTPError as e:
        check.same(name + "summary of a stage without success", (404, 0), (e.code, len(good)))
        return
    for key, way in QUANTILES.items():
        there = summary
        for step in way:
            there = there[step]
        there = [int(v) for v in there]
        if key == "duration_ms":
            # the server mixes failed tasks in: ours is that of the successes, from its task list
            values = sorted(t.get("duration", 0) for t in good)
            if len(good) == len(ended):
                check.same(name + "quantiles of duration, server", there, at_ranks(values))
            there = at_ranks(values)
        check.same(name + "quantiles of " + key, there, o["quantiles"][key])


def at_ranks(values):
    n = len(values)
    return [values[min(i * n // 4, n - 1)] for i in range(5)]


# --- executors -------------------------------------------------------------------------


def executors(check, server, ours):
    mine = {x["executor_id"]: x for x in ours["executors"]}
    check.same("executor ids", sorted(x["id"] for x in server), sorted(mine))
    for s in server:
        o, name = mine.get(s["id"]), "executor %s " % s["id"]
        if not o:
            continue
        for key, there in (("tasks", "totalTasks"), ("failed_tasks", "failedTasks"), ("cores", "totalCores"),
                           ("input_bytes", "totalInputBytes"), ("shuffle_read_bytes", "totalShuffleRead"),
                           ("shuffle_write_bytes", "totalShuffleWrite"), ("max_memory_bytes", "maxMemory")):
            # a driver beside executors has no cores of its own
            check.same(name + key, s[there], 0 if s["id"] == "driver" and o[key] is None else o[key])
        check.same(name + "added", ms(s["addTime"]), o["added_ms"])
        if s["id"] == "driver":
            # task time and GC time of a driver's row are those of the application
            app = ours["application"]
            if app["finished"]:
                check.same(name + "task time is the application's", s["totalDuration"], app["end_ms"] - app["start_ms"])
            if len(mine) == 1:
                check.same(name + "task time", sum(s["duration_ms"] or 0 for s in ours["stages"]), o["duration_ms"])
            check.same(name + "GC time is the peak's", s["totalGCTime"],
                       s.get("peakMemoryMetrics", {}).get("TotalGCTime", 0))
        else:
            check.same(name + "task time", s["totalDuration"], o["duration_ms"])
            check.same(name + "GC time", s["totalGCTime"], o["gc_ms"])
        for key, value in s.get("peakMemoryMetrics", {}).items():
            here = o["peaks"].get(key) or 0
            if s["id"] == "driver":
                # its heartbeats, logged with stage executor metrics, are not read: what
                # peaked between two stages is the server's alone
                check.same(name + "peak %s is no more than the server's" % key, True, here <= value)
            else:
                check.same(name + "peak " + key, value, here)


# --- SQL ---------------------------------------------------------------------------------


def half_up(value, digits):
    scale = 10 ** digits
    return "%.*f" % (digits, math.floor(value * scale + 0.5) / scale)


def as_bytes(n):
    units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
    u = 0
    while u < 5 and n >= 2 * 1024 ** (u + 1):
        u += 1
    return half_up(n / 1024 ** u, 1) + " " + units[u]


def as_float(x):
    return struct.unpack("f", struct.pack("f", x))[0]


def float_ratio(n, unit, digits):
    """Spark divides floats, and Java rounds the digits that the quotient prints with as a
    double: 1050 ms are 1.0499999523 s, hence 1.0 s."""
    ratio = as_float(as_float(n) / as_float(unit))
    return str(decimal.Decimal(repr(ratio)).quantize(decimal.Decimal(1).scaleb(-digits), decimal.ROUND_HALF_UP))


def as_ms(n):
    if n < 1000:
        return "%d ms" % n
    if n < 60000:
        return float_ratio(n, 1000, 1) + " s"
    if n < 3600000:
        return float_ratio(n, 60000, 1) + " m"
    return float_ratio(n, 3600000, 2) + " h"


def as_average(n):
    return "{:,}".format(n // 10) + (".%d" % (n % 10) if n % 10 else "")


FORMATS = {"sum": "{:,}".format, "size": as_bytes, "timing": as_ms, "nsTiming": lambda n: as_ms(n // 1000000),
           "average": as_average}


def texts(metric):
    """How the server may write it; whether it is one value only is not in our JSON."""
    if metric["type"].startswith("v2Custom"):
        return ["N/A"]
    form = FORMATS[metric["type"]]
    one = form(metric["total"])
    if metric["type"] == "sum":
        return [one]
    spread = "%s, %s, %s" % (form(metric["min"]), form(metric["median"]), form(metric["max"]))
    if metric["type"] == "average":
        many = "(min, med, max (stageId: taskId)):\n(%s)" % spread
    else:
        many = "total (min, med, max (stageId: taskId))\n%s (%s)" % (one, spread)
    return [one, many] if metric["min"] == metric["max"] == metric["total"] else [many]


LABEL = re.compile(r" \((?:stage \d+\.\d+: task \d+|driver)\)")


class Graph:
    """Node ids as Spark gives them: a walk from the root that passes over wrappers."""

    def __init__(self, plan, result_stage_is_node):
        self.nodes, self.next_id, self.seen = {}, 0, []
        self.result_stage_is_node = result_stage_is_node
        if plan:
            self.walk(plan, False)

    def put(self, node):
        self.nodes[self.next_id] = node
        self.next_id += 1

    def shape(self, node):
        return (node["name"], node["detail"], tuple(self.shape(c) for c in node["children"]))

    def walk(self, node, fused):
        name, children = node["name"], node["children"]
        first = children[0] if children else None
        is_stage = name in ("BroadcastQueryStage", "ShuffleQueryStage", "TableCacheQueryStage") or \
            (name == "ResultQueryStage" and not self.result_stage_is_node)
        if name.startswith("WholeStageCodegen"):
            self.put(node)
            if first:
                self.walk(first, True)
        elif name == "InputAdapter" or is_stage:
            if first and not (is_stage and self.shape(first) in self.seen):
                self.walk(first, False)
        elif name == "Subquery" and fused:
            self.walk(node, False)
        elif name == "Subquery" and self.shape(node) in self.seen:
            pass
        elif name == "ReusedSubquery" and first:
            self.walk(first, fused)
        elif name == "ReusedExchange" and first and self.shape(first) in self.seen:
            pass
        else:
            self.put(node)
            if "Exchange" in name or name == "Subquery":
                self.seen.append(self.shape(node))
            for child in children:
                self.walk(child, fused)


def sql(check, server, ours):
    mine = {q["execution_id"]: q for q in ours["sql"]}
    check.same("execution ids", sorted(q["id"] for q in server), sorted(mine))
    for s in server:
        o, name = mine.get(s["id"]), "execution %d " % s["id"]
        if not o:
            continue
        check.same(name + "status", s["status"].lower(), o["status"])
        check.same(name + "description", s["description"], o["description"])
        check.same(name + "submitted", ms(s["submissionTime"]), o["submitted_ms"])
        check.same(name + "duration", s["duration"], o["wall_ms"])
        check.same(name + "jobs", sorted(s["successJobIds"] + s["failedJobIds"] + s["runningJobIds"]), o["job_ids"])
        graph = Graph(o["plan"], VERSION.startswith("3."))
        there = {n["nodeId"]: n for n in s["nodes"]}
        check.same(name + "nodes", {i: n["nodeName"] for i, n in there.items()},
                   {i: n["name"] for i, n in graph.nodes.items()})
        for i, node in graph.nodes.items():
            plan_node(check, "%snode %d %s" % (name, i, node["name"]), there.get(i, {"metrics": []}), node)


def plan_node(check, name, server, ours):
    texts_there = {}
    for m in server["metrics"]:
        texts_there.setdefault(m["name"], []).append(LABEL.sub("", m["value"]))
    for key, metric in ours["metrics"].items():
        said = texts_there.pop(key, [None])
        if metric["total"] is None:
            check.same("%s: %s" % (name, key), said[0] if said[0] not in ("0", None) else None, None)
        elif said[0] is None and VERSION.startswith("3.") and ours["name"].startswith("WholeStageCodegen"):
            continue  # 3.5 forgets metrics announced after their job began
        elif said[0] not in texts(metric):
            check.same("%s: %s" % (name, key), said[0], texts(metric)[-1])
        else:
            check.values += 1
    for key, said in texts_there.items():
        check.same("%s: %s" % (name, key), said[0], None)


# --- whole logs ----------------------------------------------------------------------------


def without_place(analysis):
    """Everything but where the log was read from."""
    kept = {k: v for k, v in analysis.items() if k != "log"}
    kept["completeness"] = {k: v for k, v in kept["completeness"].items() if k not in ("notes", "missing_parts")}
    return kept


def same_analysis(name, a, b):
    check = Check(name)
    a, b = without_place(a), without_place(b)
    for key in sorted(set(a) | set(b)):
        check.same(key, json.dumps(a.get(key))[:2000], json.dumps(b.get(key))[:2000])
        if a.get(key) != b.get(key):
            check.wrong.append(key + " is not the same")
    check.done()


def application(app_id, path):
    label = "%s %s" % (VERSION, os.path.basename(path))
    ours = analyze(path)
    info = fetch("/" + app_id)
    attempt = info["attempts"][0]
    check = Check(label + " application")
    app = ours["application"]
    check.same("name", info["name"], app["name"])
    check.same("start", attempt["startTimeEpoch"], app["start_ms"])
    # without an end the server says -1, and counts on while it is asked
    check.same("end", attempt["endTimeEpoch"], app["end_ms"] if app["finished"] else -1)
    check.same("version", attempt["appSparkVersion"], app["spark_version"])
    check.same("user", attempt["sparkUser"], app["user"])
    check.same("completed", attempt["completed"], app["finished"])
    check.done()
    stage_list = fetch("/%s/stages" % app_id)
    attempts = {}
    for s in stage_list:
        attempts[s["stageId"]] = max(attempts.get(s["stageId"], 1), s["attemptId"] + 1)
    check = Check(label + " jobs")
    jobs(check, fetch("/%s/jobs" % app_id), ours, attempts)
    check.done()
    check = Check(label + " stages")
    stages(check, app_id, stage_list, ours)
    check.done()
    check = Check(label + " executors")
    executors(check, fetch("/%s/allexecutors" % app_id), ours)
    check.done()
    check = Check(label + " SQL")
    try:
        executions = fetch("/%s/sql?details=true&planDescription=false&length=1000" % app_id)
    except urllib.error.HTTPError:
        executions = []  # an application without queries
    sql(check, executions, ours)
    check.done()
    zipped = os.path.join(SCRATCH, app_id + ".zip")
    with open(zipped, "wb") as f:
        f.write(fetch("/%s/logs" % app_id, raw=True))
    same_analysis(label + " as the server's zip", ours, analyze(zipped))
    text = os.path.join(TEXTS, app_id)
    if os.path.exists(text):
        same_analysis(label + " against Spark's own decoding", ours, analyze(text))
    else:
        counts["skipped"] += 1


def main():
    logs = {}
    for name in sorted(os.listdir(LOGS)):
        if not name.startswith("."):
            logs[re.sub(r"^eventlog_v2_|\..*$", "", name)] = os.path.join(LOGS, name)
    listed, deadline = set(), time.time() + 90
    while time.time() < deadline and not listed >= set(logs):
        try:
            listed = {a["id"] for a in fetch("?limit=1000")}
        except OSError:
            pass
        time.sleep(0.5)
    check = Check(VERSION + " list of applications")
    check.same("ids", sorted(listed), sorted(logs))
    check.done()
    for app_id, path in logs.items():
        if app_id in listed:
            try:
                application(app_id, path)
            except Exception as e:
                counts["failed"] += 1
                print("FAILED %s %s: %s: %s" % (VERSION, path, type(e).__name__, e))
    print("%(passed)d passed, %(failed)d failed, %(skipped)d skipped" % counts)
    sys.exit(1 if counts["failed"] else 0)


if __name__ == "__main__":
    main()
