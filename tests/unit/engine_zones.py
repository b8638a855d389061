"""Writes tests/unit/engine_zone_cases.txt: offsets from UTC as Python's zoneinfo has them
from the same system files. Lines: zone, then an instant in seconds, its offset, the local
time in seconds, and the offset that java.time takes for it."""
import datetime
import random
import zoneinfo

random.seed(11)
ZONES = ("Europe/Berlin America/New_York Australia/Lord_Howe America/Sao_Paulo Asia/Kolkata "
         "Africa/Casablanca Pacific/Apia Asia/Tehran America/St_Johns Antarctica/Troll UTC "
         "Europe/Dublin Asia/Tokyo Pacific/Chatham America/Los_Angeles").split()
EPOCH = datetime.datetime(1970, 1, 1)
UTC = datetime.timezone.utc


def seconds(delta):
    return delta.days * 86400 + delta.seconds


def offset_at(zone, at):
    moment = (EPOCH + datetime.timedelta(seconds=at)).replace(tzinfo=UTC)
    return seconds(moment.astimezone(zone).utcoffset())


def offset_of_local(zone, local):
    """fold=0 is the earlier offset of an overlap, and in a gap the one before it."""
    clock = EPOCH + datetime.timedelta(seconds=local)
    return seconds(clock.replace(tzinfo=zone, fold=0).utcoffset())


with open("tests/unit/engine_zone_cases.txt", "w") as out:
    for name in ZONES:
        zone = zoneinfo.ZoneInfo(name)
        moments = [random.randint(-2 * 10**9, 8 * 10**9) for _ in range(60)]
        edges = []
        for a in range(0, 2 * 10**9, 20 * 86400):  # around changes, by bisection
            low, high = a, a + 20 * 86400
            if offset_at(zone, low) == offset_at(zone, high):
                continue
            while high - low > 1:
                middle = (low + high) // 2
                if offset_at(zone, middle) == offset_at(zone, low):
                    low = middle
                else:
                    high = middle
            edges += [high - 1, high, high - 1800, high + 1800]
        for at in moments + edges[:40] + edges[-20:]:
            offset = offset_at(zone, at)
            local = at + offset + random.choice([0, 0, 1800, -1800, 3600, 7200])
            out.write("%s\t%d\t%d\t%d\t%d\n"
                      % (name, at, offset, local, offset_of_local(zone, local)))
