# Makes explained.txt: what Spark 3.5.9 plans for the statements of explained.sql.
#   python3 explained.py < explained.sql > explained.txt
# The statements up to "--" are run. For each of the others: the statement after "> ", then
# the optimised and the physical plan of EXPLAIN EXTENDED, or "! " with the error's class. Ids
# of expressions, plans and types of long ("#12L") are numbered by first appearance as "#1";
# the warehouse is ${DIR}.
import re
import shutil
import sys
import tempfile

from pyspark.sql import SparkSession

folder = tempfile.mkdtemp()
spark = (SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
         .config("spark.sql.warehouse.dir", folder).config("spark.sql.shuffle.partitions", "4")
         .config("spark.sql.session.timeZone", "UTC").getOrCreate())
spark.sparkContext.setLogLevel("OFF")


def renumber(text):
    for sign in ("#", "plan_id="):
        seen = {}
        text = re.sub(sign + r"(\d+)L?", lambda m: sign + "%d" % seen.setdefault(m.group(1), len(seen) + 1), text)
    return text.replace("file:" + folder, "file:${DIR}")


setup = True
for line in sys.stdin:
    line = line.rstrip("\n")
    if line == "--":
        setup = False
    elif setup or line.startswith("SET "):
        spark.sql(line)
        if not setup:
            print("> " + line + "\n", flush=True)
    else:
        print("> " + line)
        try:
            text = spark.sql("EXPLAIN EXTENDED " + line).collect()[0][0]
            print(renumber(text[text.index("== Optimized"):].rstrip("\n").replace("\n\n", "\n")))
        except Exception as e:
            print("! " + str(e).split("]")[0].lstrip("["))
        print(flush=True)
spark.stop()
shutil.rmtree(folder)
