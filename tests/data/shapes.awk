# An event log of a made-up application, for pictures of many stages:
#
#     awk -f tests/data/shapes.awk -v shape=loop -v stages=512
#
# loop   jobs of three stages each that do the same, after a load and before a save
# hub    one stage that all others read, each line of the program with ten of them
# fan    one stage that all others read, which are alike
# chain  one job, each stage fed by the one before
# trees  SQL executions of seven stages, each of its own kind: four scans, two joins, a result
# names  six stages with names nobody would give: markup, control characters, links,
#        10 KB, right to left, broken UTF-8
#
# Same arguments, same bytes: the numbers come from a little generator of our own.
function roll(n) { seed = (seed * 1103515245 + 12345) % 2147483648; return int(seed / 65536) % n }

function event(name, rest) { print "{\"Event\":\"" name "\"," rest "}" }

function stage_info(s, done,    times) {
    times = done ? ",\"Submission Time\":" from[s] ",\"Completion Time\":" to[s] : ""
    return "{\"Stage ID\":" s ",\"Stage Attempt ID\":0,\"Stage Name\":\"" name[s] \
        "\",\"Number of Tasks\":1,\"RDD Info\":[{\"RDD ID\":" s ",\"Name\":\"MapPartitionsRDD\"," \
        "\"Parent IDs\":[],\"Storage Level\":{\"Use Disk\":false,\"Use Memory\":false," \
        "\"Use Off Heap\":false,\"Deserialized\":false,\"Replication\":1},\"Number of Partitions\":1," \
        "\"Number of Cached Partitions\":0,\"Memory Size\":0,\"Disk Size\":0}],\"Parent IDs\":[" \
        parents[s] "],\"Details\":\"\"" times ",\"Accumulables\":[]}"
}

function task_end(s,    ms, bytes) {
    ms = to[s] - from[s]
    bytes = ms * 1000
    event("SparkListenerTaskEnd", "\"Stage ID\":" s ",\"Stage Attempt ID\":0," \
        "\"Task Type\":\"ShuffleMapTask\",\"Task End Reason\":{\"Reason\":\"Success\"}," \
        "\"Task Info\":{\"Task ID\":" s ",\"Index\":0,\"Attempt\":0,\"Partition ID\":0," \
        "\"Launch Time\":" from[s] ",\"Executor ID\":\"driver\",\"Host\":\"localhost\"," \
        "\"Locality\":\"PROCESS_LOCAL\",\"Speculative\":false,\"Getting Result Time\":0," \
        "\"Finish Time\":" to[s] ",\"Failed\":false,\"Killed\":false,\"Accumulables\":[]}," \
        "\"Task Metrics\":{\"Executor Deserialize Time\":0,\"Executor Deserialize CPU Time\":0," \
        "\"Executor Run Time\":" ms ",\"Executor CPU Time\":" ms "000000,\"Peak Execution Memory\":0," \
        "\"Result Size\":1000,\"JVM GC Time\":0,\"Result Serialization Time\":0," \
        "\"Memory Bytes Spilled\":0,\"Disk Bytes Spilled\":0,\"Shuffle Read Metrics\":{" \
        "\"Remote Blocks Fetched\":0,\"Local Blocks Fetched\":1,\"Fetch Wait Time\":0," \
        "\"Remote Bytes Read\":0,\"Remote Bytes Read To Disk\":0,\"Local Bytes Read\":" \
        (parents[s] == "" ? 0 : bytes) ",\"Total Records Read\":" ms "}," \
        "\"Shuffle Write Metrics\":{\"Shuffle Bytes Written\":" (last[s] ? 0 : bytes) \
        ",\"Shuffle Write Time\":0,\"Shuffle Records Written\":" (last[s] ? 0 : ms) "}," \
        "\"Input Metrics\":{\"Bytes Read\":" (parents[s] == "" ? bytes : 0) ",\"Records Read\":0}," \
        "\"Output Metrics\":{\"Bytes Written\":0,\"Records Written\":0},\"Updated Blocks\":[]}")
}

# A stage to come with the next job.
function add(what, fed_by, ms) {
    name[n] = what
    parents[n] = fed_by
    took[n] = ms
    return n++
}

# Runs what was added since the last job, one after the other; sql < 0: no execution.
function run_job(sql, what,    s, ids, infos) {
    for (s = begun; s < n; s++) {
        ids = ids (s > begun ? "," : "") s
        infos = infos (s > begun ? "," : "") stage_info(s, 0)
    }
    last[n - 1] = 1
    if (sql >= 0)
        event("org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart", \
            "\"executionId\":" sql ",\"description\":\"" what "\",\"details\":\"\"," \
            "\"physicalPlanDescription\":\"\",\"sparkPlanInfo\":{\"nodeName\":\"Project\"," \
            "\"simpleString\":\"Project\",\"children\":[],\"metadata\":{},\"metrics\":[]}," \
            "\"time\":" now)
    event("SparkListenerJobStart", "\"Job ID\":" jobs ",\"Submission Time\":" now \
        ",\"Stage Infos\":[" infos "],\"Stage IDs\":[" ids "],\"Properties\":{" \
        (sql >= 0 ? "\"spark.sql.execution.id\":\"" sql "\"," : "") \
        "\"spark.job.description\":\"" what "\"}")
    for (s = begun; s < n; s++) {
        from[s] = now
        to[s] = now += took[s]
        event("SparkListenerStageSubmitted", "\"Stage Info\":" stage_info(s, 0) ",\"Properties\":{}")
        task_end(s)
        event("SparkListenerStageCompleted", "\"Stage Info\":" stage_info(s, 1))
    }
    now += 5
    event("SparkListenerJobEnd", "\"Job ID\":" jobs ",\"Completion Time\":" now \
        ",\"Job Result\":{\"Result\":\"JobSucceeded\"}")
    if (sql >= 0)
        event("org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionEnd", \
            "\"executionId\":" sql ",\"time\":" now ",\"errorMessage\":\"\"")
    jobs++
    begun = n
}

function loop(    i, a, b) {
    a = add("load at train.py:10", "", 900)
    add("load at train.py:11", a, 300)
    run_job(-1, "load")
    while (n + 5 <= stages) {
        a = add("map at train.py:20", "", 100 + roll(80))
        b = add("reduceByKey at train.py:21", a, 150 + roll(120))
        add("collect at train.py:22", b, 30 + roll(30))
        run_job(-1, "iteration")
    }
    while (n < stages)
        add("saveAsTextFile at train.py:30", n > begun ? n - 1 : "", 700)
    run_job(-1, "save")
}

function fan(    i) {
    add("scan at fan.py:1", "", 2000)
    for (i = 1; i < stages - 1; i++)
        add("map at fan.py:2", 0, 20 + roll(200))
    add("collect at fan.py:3", all_between(1, stages - 1), 500)
    run_job(0, "all alike from one scan")
}

function hub(    i) {
    add("scan at hub.py:1", "", 2000)
    for (i = 1; i < stages - 1; i++)
        add("map at hub.py:" 2 + i % 50, 0, 20 + roll(200))
    add("collect at hub.py:99", all_between(1, stages - 1), 500)
    run_job(0, "everything from one scan")
}

function all_between(a, b,    i, text) {
    for (i = a; i < b; i++)
        text = text (i > a ? "," : "") i
    return text
}

function chain(    i) {
    for (i = 0; i < stages; i++)
        add("step " i " at chain.py:" i, i ? i - 1 : "", 20 + roll(200))
    run_job(-1, "a long way")
}

function trees(    q, i, first) {
    for (q = 0; n < stages; q++) {
        first = n
        for (i = 0; i < 4 && n < stages; i++)
            add("scan " q "." i " at queries.py:" q, "", 30 + roll(400))
        for (i = 0; i < 2 && n < stages; i++)
            add("join " q "." i " at queries.py:" q, \
                (first + 2 * i < n ? first + 2 * i "," first + 2 * i + 1 : ""), 50 + roll(600))
        if (n < stages)
            add("save " q " at queries.py:" q, first + 4 "," first + 5, 40 + roll(100))
        run_job(q, "query " q)
    }
}

function names(    i, long) {
    for (i = 0; i < 1024; i++)
        long = long "0123456789"
    add("<script>alert(1)</script> & \\\"q\\\" ]]> -->", "", 100)
    add("bell\\u0007 nul\\u0000 esc\\u001b[31m line\\nbreak \\uffff", "0", 120)
    add("javascript:alert(1) &#106;&lt; file:///etc/passwd", "1", 130)
    add(long, "2", 140)
    add("\\u202eright to left \\u0645\\u0631\\u062d\\u0628\\u0627 \\u05e9\\u05dc\\u05d5\\u05dd", "3", 150)
    add("broken \377\376 \303( utf-8 \300\200", "4", 160)
    run_job(0, "<b onload=\\\"x()\\\">\\u0008</b> ]]> \303")
}

BEGIN {
    seed = 42
    now = 1700000001000
    n = begun = jobs = 0
    if (!stages)
        stages = 24
    event("SparkListenerLogStart", "\"Spark Version\":\"3.5.9\"")
    event("SparkListenerApplicationStart", "\"App Name\":\"" shape (shape == "names" ? \
        " </title><script>x</script> \\u0001\\u202e" : "") "\",\"App ID\":\"app-" shape \
        "\",\"Timestamp\":1700000000000,\"User\":\"tester\"")
    event("SparkListenerExecutorAdded", "\"Timestamp\":1700000000500,\"Executor ID\":\"driver\"," \
        "\"Executor Info\":{\"Host\":\"localhost\",\"Total Cores\":1,\"Log Urls\":{}}")
    if (shape == "loop") loop()
    else if (shape == "hub") hub()
    else if (shape == "fan") fan()
    else if (shape == "chain") chain()
    else if (shape == "trees") trees()
    else if (shape == "names") names()
    event("SparkListenerApplicationEnd", "\"Timestamp\":" now + 100)
}
