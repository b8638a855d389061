/* What may differ between the History Server's answers and ours, read twice by
 * history_server_test.c. */
#ifdef NOT_HELD
NOT_HELD("/application/attempts[*]/exitCode", NULL, "of 4.x, not kept")
NOT_HELD("/jobs[*]/jobTags*", NULL, "kept as one text")
NOT_HELD("/stages[*]/accumulatorUpdates", "[]", "user accumulators are not kept by name")
NOT_HELD("/stages[*]/shuffle*Merge*", "0", "push-based shuffle is not kept")
NOT_HELD("/stages[*]/isShufflePushEnabled", "false", "push-based shuffle is not kept")
NOT_HELD("/stages[*]/executorSummary/*/is*ForStage", "false", "kept for the executor")
NOT_HELD("/stages[*]/executorSummary/*/peakMemoryMetrics/*", NULL, "kept by stage, by executor")
NOT_HELD("/taskList/*/accumulatorUpdates", "[]", "user accumulators are not kept by name")
NOT_HELD("/taskList/*/errorMessage", NULL, "grouped: see failure_groups_tell_what_tasks_say")
NOT_HELD("/taskList/*/shufflePushReadMetrics/*", "0", "push-based shuffle is not kept")
NOT_HELD("/taskSummary/*/shufflePushReadMetricsDist/*", "[0,0,0,0,0]", "push-based shuffle is not kept")
NOT_HELD("/allexecutors[*]/isBlacklisted", "false", "the old name of isExcluded")
NOT_HELD("/allexecutors[*]/*InStages", "[]", "kept for the executor")
NOT_HELD("/allexecutors[*]/executorLogs*", NULL, "addresses of logs are not kept")
NOT_HELD("/allexecutors[*]/attributes*", NULL, "not kept")
NOT_HELD("/allexecutors[*]/resources*", NULL, "not kept")
NOT_HELD("/allexecutors[*]/memoryMetrics/usedOffHeapStorageMemory", "0", "not told from on-heap memory")
NOT_HELD("/storage[*]/dataDistribution*", NULL, "kept as sums")
NOT_HELD("/storage[*]/partitions*", NULL, "kept as sums")
NOT_HELD("/sql[*]/planDescription", NULL, "the plan as text is not kept")
NOT_HELD("/sql[*]/queryId", NULL, "not kept")
#endif
#ifdef DIFFERS
/* Quantiles of stages with failures: the server sorts failed and killed tasks in as
 * well, but indexes with the number of successes. Ours are those of the successes. */
DIFFERS("minimal", "/taskSummary/1.0/duration",
        "[59,59,59,59,59]",
        "[120,120,120,120,120]")
DIFFERS("minimal", "/taskSummary/0.0/duration",
        "[79,79,380,450,450]",
        "[380,380,450,590,590]")
DIFFERS("minimal", "/taskSummary/0.0/gettingResultTime", "[0,0,0,0,0]", "[0,0,0,20,20]")
DIFFERS("minimal", "/taskSummary/0.0/schedulerDelay",
        "[19,19,29,29,29]",
        "[19,19,29,39,39]")
DIFFERS("failures-speculation", "/taskSummary/8.0/duration",
        "[11,11,11,11,11]",
        "[140,140,140,140,140]")
DIFFERS("failures-speculation", "/taskSummary/8.0/schedulerDelay",
        "[7,7,7,7,7]",
        "[36,36,36,36,36]")
DIFFERS("failures-speculation", "/taskSummary/6.0/schedulerDelay",
        "[8,8,11,13,13]",
        "[8,11,13,49,49]")
/* A retried stage: the server throws away what the first attempt's tasks reported.
 * Ours keeps it: 900 rows were read, not 300. */
DIFFERS("minimal", "/sql[0]/nodes[8]/metrics[0]/value", "300", "900")
DIFFERS("minimal", "/sql[0]/nodes[8]/metrics[1]/value",
        "total (min, med, max (stageId: taskId))\n160 ms (0 ms, 0 ms, 160 ms (stage 0.1: task 7))",
        "total (min, med, max (stageId: taskId))\n400 ms (40 ms, 120 ms, 160 ms (stage 0.1: task 7))")
DIFFERS("minimal", "/sql[0]/nodes[7]/metrics[0]/value", "150", "450")
DIFFERS("minimal", "/sql[0]/nodes[6]/metrics[0]/value", "30", "90")
DIFFERS("minimal", "/sql[0]/nodes[6]/metrics[1]/value",
        "total (min, med, max (stageId: taskId))\n4.0 MiB (0.0 B, 0.0 B, 4.0 MiB (stage 0.1: task 7))",
        "total (min, med, max (stageId: taskId))\n10.0 MiB (1024.0 KiB, 3.0 MiB, 4.0 MiB (stage 0.1: task 7))")
DIFFERS("minimal", "/sql[0]/nodes[6]/metrics[2]/value",
        "2.2",
        "(min, med, max (stageId: taskId)):\n(1.3, 1.9, 2.2 (stage 0.1: task 7))")
DIFFERS("minimal", "/sql[0]/nodes[5]/metrics[0]/value",
        "total (min, med, max (stageId: taskId))\n1.2 s (0 ms, 0 ms, 1.2 s (stage 0.1: task 7))",
        "total (min, med, max (stageId: taskId))\n3.0 s (300 ms, 900 ms, 1.2 s (stage 0.1: task 7))")
DIFFERS("minimal", "/sql[0]/nodes[4]/metrics[0]/value",
        "total (min, med, max (stageId: taskId))\n480.0 B (0.0 B, 0.0 B, 480.0 B (stage 0.1: task 7))",
        "total (min, med, max (stageId: taskId))\n1440.0 B (160.0 B, 480.0 B, 480.0 B (stage 0.0: task 4))")
DIFFERS("minimal", "/sql[0]/nodes[4]/metrics[1]/value",
        "total (min, med, max (stageId: taskId))\n270.0 B (0.0 B, 0.0 B, 270.0 B (stage 0.1: task 7))",
        "total (min, med, max (stageId: taskId))\n810.0 B (90.0 B, 270.0 B, 270.0 B (stage 0.0: task 4))")
DIFFERS("minimal", "/sql[0]/nodes[4]/metrics[2]/value",
        "total (min, med, max (stageId: taskId))\n10 ms (0 ms, 0 ms, 10 ms (stage 0.1: task 7))",
        "total (min, med, max (stageId: taskId))\n25 ms (2 ms, 7 ms, 10 ms (stage 0.1: task 7))")
DIFFERS("minimal", "/sql[0]/nodes[4]/metrics[3]/value", "60", "90")
DIFFERS("minimal", "/sql[0]/nodes[2]/metrics[0]/value", "10", "15")
DIFFERS("minimal", "/sql[0]/nodes[2]/metrics[1]/value", "2", "3")
DIFFERS("minimal", "/sql[0]/nodes[1]/metrics[0]/value",
        "total (min, med, max (stageId: taskId))\n200 ms (0 ms, 200 ms, 200 ms (stage 1.1: task 8))",
        "total (min, med, max (stageId: taskId))\n300 ms (100 ms, 200 ms, 200 ms (stage 1.1: task 8))")
/* Equal maxima whose tasks ended in the same millisecond: which one is named. */
DIFFERS("cached-rdd", "/sql[1]/nodes[3]/metrics[4]/value",
        "total (min, med, max (stageId: taskId))\n32.0 B (16.0 B, 16.0 B, 16.0 B (stage 7.0: task 16))",
        "total (min, med, max (stageId: taskId))\n32.0 B (16.0 B, 16.0 B, 16.0 B (stage 7.0: task 15))")
DIFFERS("cached-rdd", "/sql[1]/nodes[3]/metrics[8]/value",
        "total (min, med, max (stageId: taskId))\n118.0 B (59.0 B, 59.0 B, 59.0 B (stage 7.0: task 16))",
        "total (min, med, max (stageId: taskId))\n118.0 B (59.0 B, 59.0 B, 59.0 B (stage 7.0: task 15))")
/* A stage that was skipped, then run again after a fetch failure: skipped for the
 * server, run for us. */
DIFFERS("failures-speculation", "/jobs[2]/numSkippedTasks", "4", "0")
DIFFERS("failures-speculation", "/jobs[2]/numSkippedStages", "1", "0")
/* Of stages that never ran, only the highest RDD is kept. */
DIFFERS("minimal", "/stages[2.0]/rddIds", "[0,1]", "[1]")
DIFFERS("failures-speculation", "/stages[3.0]/rddIds", "[2,3,4]", "[4]")
DIFFERS("sql-aqe", "/stages[24.0]/rddIds", "[52,53,54,55]", "[55]")
DIFFERS("sql-aqe", "/stages[21.0]/rddIds", "[46,47,48]", "[48]")
DIFFERS("sql-aqe", "/stages[20.0]/rddIds", "[42,43,44,45]", "[45]")
DIFFERS("sql-aqe", "/stages[18.0]/rddIds", "[42,43,44,45]", "[45]")
DIFFERS("sql-aqe", "/stages[15.0]/rddIds", "[35,36,37,38]", "[38]")
DIFFERS("sql-aqe", "/stages[7.0]/rddIds", "[8,9,10,11,12,13,14]", "[14]")
DIFFERS("sql-aqe", "/stages[6.0]/rddIds", "[0,2,5,7]", "[7]")
DIFFERS("sql-aqe", "/stages[5.0]/rddIds", "[1,3,4,6]", "[6]")
DIFFERS("sql-aqe", "/stages[3.0]/rddIds", "[0,2,5,7]", "[7]")
DIFFERS("sql-aqe", "/stages[2.0]/rddIds", "[1,3,4,6]", "[6]")
DIFFERS("cached-rdd", "/stages[8.0]/rddIds", "[8,9,10,11,12,21,22,23,24,25]", "[25]")
DIFFERS("cached-rdd", "/stages[5.0]/rddIds", "[8,9,10,11,12,13,14,15,16,17]", "[17]")
/* A skipped stage has the description of its job. */
DIFFERS("minimal", "/stages[2.0]/description", "(none)", "cache t")
/* The driver ran no task here; only its metrics were logged. */
DIFFERS("minimal", "/stages[0.0]/executorSummary/driver/taskTime", "0", "(none)")
DIFFERS("minimal", "/stages[0.0]/executorSummary/driver/failedTasks", "0", "(none)")
DIFFERS("minimal", "/stages[0.0]/executorSummary/driver/succeededTasks", "0", "(none)")
DIFFERS("minimal", "/stages[0.0]/executorSummary/driver/killedTasks", "0", "(none)")
DIFFERS("minimal", "/stages[0.0]/executorSummary/driver/inputBytes", "0", "(none)")
DIFFERS("minimal", "/stages[0.0]/executorSummary/driver/inputRecords", "0", "(none)")
DIFFERS("minimal", "/stages[0.0]/executorSummary/driver/outputBytes", "0", "(none)")
DIFFERS("minimal", "/stages[0.0]/executorSummary/driver/outputRecords", "0", "(none)")
DIFFERS("minimal", "/stages[0.0]/executorSummary/driver/shuffleRead", "0", "(none)")
DIFFERS("minimal", "/stages[0.0]/executorSummary/driver/shuffleReadRecords",
        "0",
        "(none)")
DIFFERS("minimal", "/stages[0.0]/executorSummary/driver/shuffleWrite", "0", "(none)")
DIFFERS("minimal", "/stages[0.0]/executorSummary/driver/shuffleWriteRecords",
        "0",
        "(none)")
DIFFERS("minimal", "/stages[0.0]/executorSummary/driver/memoryBytesSpilled",
        "0",
        "(none)")
DIFFERS("minimal", "/stages[0.0]/executorSummary/driver/diskBytesSpilled",
        "0",
        "(none)")
/* The driver's row: the server shows the length of the application as task time and
 * the peak of TotalGCTime as GC time; ours are the sums over its tasks, 0 where it ran
 * none. The server adds each broadcast block twice to the memory used; ours counts
 * cached RDDs. Host: the server takes the block manager's, we the executor's. */
DIFFERS("minimal", "/allexecutors[driver]/totalDuration", "4000", "0")
DIFFERS("minimal", "/allexecutors[driver]/totalGCTime", "11", "0")
DIFFERS("failures-speculation", "/allexecutors[driver]/memoryUsed", "48519", "0")
DIFFERS("failures-speculation", "/allexecutors[driver]/totalDuration", "16039", "19760")
DIFFERS("failures-speculation", "/allexecutors[driver]/totalGCTime", "0", "102")
DIFFERS("failures-speculation", "/allexecutors[driver]/memoryMetrics/usedOnHeapStorageMemory",
        "48519",
        "0")
DIFFERS("failures-speculation", "/allexecutors[driver]/host", "localhost", "10.0.0.1")
DIFFERS("sql-aqe", "/allexecutors[driver]/totalDuration", "12703", "5088")
DIFFERS("sql-aqe", "/allexecutors[driver]/totalGCTime", "0", "60")
DIFFERS("sql-aqe", "/allexecutors[driver]/host", "localhost", "10.0.0.1")
DIFFERS("cached-rdd", "/allexecutors[driver]/memoryUsed", "289364", "94405")
DIFFERS("cached-rdd", "/allexecutors[driver]/totalDuration", "14019", "8041")
DIFFERS("cached-rdd", "/allexecutors[driver]/totalGCTime", "349", "225")
DIFFERS("cached-rdd", "/allexecutors[driver]/memoryMetrics/usedOnHeapStorageMemory",
        "289364",
        "94405")
DIFFERS("cached-rdd", "/allexecutors[driver]/host", "localhost", "10.0.0.1")
/* Heartbeats (ExecutorMetricsUpdate) are in this log though Spark does not usually log
 * them; we do not read their peaks. */
DIFFERS("cached-rdd", "/allexecutors[driver]/peakMemoryMetrics/JVMHeapMemory",
        "154892504",
        "142309592")
DIFFERS("cached-rdd", "/allexecutors[driver]/peakMemoryMetrics/JVMOffHeapMemory",
        "185345048",
        "184948816")
DIFFERS("cached-rdd", "/allexecutors[driver]/peakMemoryMetrics/DirectPoolMemory",
        "221313",
        "221249")
#endif
