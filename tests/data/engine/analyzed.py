# Makes analyzed.txt: what Spark 3.5.9 says to the statements of analyzed.sql.
#   python3 analyzed.py < analyzed.sql > analyzed.txt
# The statements up to "--" are run, the others analysed only. For each: the statement after
# "> ", then the schema and the analysed plan, expression ids as #1, #2, .. by first
# appearance (also those of CTEs), or "! " with the error up to Spark's print of the plan.
import re
import sys

from pyspark.sql import SparkSession

spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
         .config("spark.sql.session.timeZone", "UTC").getOrCreate())
spark.sparkContext.setLogLevel("OFF")
jvm = spark._jvm


def renumber(text):
    seen = {}
    ctes = {}

    def one(m):
        return "#%d" % seen.setdefault(m.group(1), len(seen) + 1)

    def cte(m):
        return m.group(1) + "%d" % ctes.setdefault(m.group(2), len(ctes))
    text = re.sub(r"#(\d+)", one, text)
    return re.sub(r"(CTERelation(?:Def|Ref) )(\d+)", cte, text)


def error(e):
    text = str(e.desc if hasattr(e, "desc") else e)
    text = text.split("\n\n")[0]
    text = re.sub(r";\s*\n['+:A-Z].*", "", text, flags=re.S)
    return "! " + text.strip().replace("\n", "\n! ")


setup = True
for line in sys.stdin:
    line = line.rstrip("\n")
    if line == "--":
        setup = False
    elif setup:
        spark.sql(line)
    else:
        print("> " + line)
        try:
            df = spark.sql(line)
            qe = df._jdf.queryExecution()
            fields = ["%s %s%s" % (f.name, f.dataType.simpleString(), "" if f.nullable else " not null")
                      for f in df.schema.fields]
            print("= " + ", ".join(fields))
            print(renumber(qe.analyzed().toString().rstrip("\n")))
        except Exception as e:
            print(error(e))
        print(flush=True)
