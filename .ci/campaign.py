"""A generated game that saves itself, and the plain dictionary that a database fed the same lines is compared with.

The same seed gives the same lines on every machine. What a save log looks like: few actors change most of the time, some die, and
whole saves of a room (integer keys) come in between. Names are not all ASCII, documents not all small.
"""

import bisect
import json
import random

NAMES = ["Ice Devil", "Gnoll", "Höhlenbär", "Архимаг", "老狼", "Ogre \"Bob\"", "Lich\\King", "🐉"]
PLACES = ["harbor", "old mill", "sunken temple", "crossroads", "high pass", "ember caves"]


def lines(count, seed):
    """`count` operations as bytes, each a line that `logdb load` reads."""
    rng = random.Random(seed)
    actors, clock = {}, 1_790_000_000_000
    population = max(20, count // 5)
    for _ in range(count):
        clock += rng.randint(1, 40)
        dice = rng.random()
        if dice < 0.04:
            room = rng.randint(-300, 300)
            value = {"place": rng.choice(PLACES), "items": [rng.randint(0, 9) for _ in range(rng.randint(0, 400))]}
            yield line("rooms", room, json.dumps(value, separators=(",", ":")) if dice < 0.036 else "null")
            continue
        number = int(population * rng.random() ** 3.2)
        name = NAMES[number % len(NAMES)]
        key = f"{name}-{number:06d}"
        if number in actors and dice > 0.97:
            del actors[number]
            yield line("actors", key, "null")
            continue
        who = actors.setdefault(number, {
            "id": number, "name": name, "hp": 30, "level": 1, "xp": 0, "position": {"x": 0.0, "y": 0.0, "place": PLACES[number % 6]},
            "conditions": [], "inventory": {"gold": number % 50, "potions": 2}, "alive": True, "updated": 0,
        })
        if dice < 0.5:
            who["position"]["x"] = round(who["position"]["x"] + rng.uniform(-9, 9), 2)
            who["position"]["y"] = round(who["position"]["y"] + rng.uniform(-9, 9), 2)
        elif dice < 0.8:
            who["hp"] = max(0, min(30, who["hp"] + rng.randint(-14, 12)))
        else:
            who["xp"] += rng.randint(10, 400)
            who["level"] = 1 + who["xp"] // 1000
            who["position"]["place"] = rng.choice(PLACES)
        who["updated"] = clock
        yield line("actors", key, json.dumps(who, separators=(",", ":"), ensure_ascii=number % 2 == 0))


def line(table, key, document):
    return (f'{{"table":{quoted(table)},"key":{quoted(key) if isinstance(key, str) else key},"value":{document}}}\n').encode()


def quoted(text):
    return json.dumps(text, ensure_ascii=False)


class Model:
    """A dictionary fed the same lines."""

    def __init__(self):
        self.tables = []
        self.documents = {}

    def feed(self, raw):
        # The document's own bytes, not what a parser makes of them: they are to come back as they are.
        operation = json.loads(raw)
        table, key = operation["table"], operation["key"]
        if table not in self.tables:
            self.tables.append(table)
        address = (self.tables.index(table), isinstance(key, str), key.encode() if isinstance(key, str) else key)
        if operation["value"] is None:
            self.documents.pop(address, None)
        else:
            self.documents[address] = raw

    def dump(self):
        """What `logdb dump` must print: by table in order of creation, integers first, then strings by their bytes."""
        return b"".join(self.documents[address] for address in sorted(self.documents))


def folded(raws):
    model = Model()
    for raw in raws:
        model.feed(raw)
    return model.dump()


# --- With transactions -------------------------------------------------------------------------------------------------------


class Transaction:
    """Of a stream: its name, None for the one that may have none, and where it begins."""

    def __init__(self, name):
        self.name, self.begin = name, None


class Step:
    """A line of a stream. `raw` is the operation as `dump` prints it, `line` what `load` is given."""
    __slots__ = ("kind", "owner", "raw", "line")

    def __init__(self, kind, owner=None, raw=None):
        self.kind, self.owner, self.raw = kind, owner, raw
        tx = b"" if owner is None or owner.name is None else b'"tx":' + quoted(owner.name).encode()
        if kind == "operation":
            self.line = b"{" + tx + (b"," if tx else b"") + raw[1:]
        else:
            self.line = b'{"op":"' + kind.encode() + b'"' + (b"," if tx else b"") + tx + b"}\n"


def plain(raws):
    return [Step("operation", None, raw) for raw in raws]


def interleaved(raws, seed, all_end=False):
    """The lines of a stream in which some operations belong to transactions: several at once, long and short, committed, rolled back, empty,
    and some still open at the end, unless all end. The first operation of each table stands alone: tables are made for good, whatever becomes of a transaction."""
    rng = random.Random(f"transactions {seed}")
    steps, open_, tables = [], [], set()
    names = [None, "a", "trade", "Zug \"1\"", "老"]

    def step(kind, owner=None, raw=None):
        steps.append(Step(kind, owner, raw))

    for raw in raws:
        table = json.loads(raw)["table"]
        if table not in tables:
            for owner in open_:
                step("rollback", owner)
            open_.clear()
            tables.add(table)
            step("operation", None, raw)
            continue
        free = [name for name in names if name not in [owner.name for owner in open_]]
        if free and rng.random() < 0.12:
            owner = Transaction(rng.choice(free))
            owner.begin = len(steps)
            # One in four is long, and spans segments where they are small.
            owner.least = len(steps) + rng.choice([0, 0, 0, 80])
            open_.append(owner)
            step("begin", owner)
        nameless = next((owner for owner in open_ if owner.name is None), None)
        owner = rng.choice([nameless, *open_]) if open_ else None
        step("operation", owner, raw)
        ripe = [owner for owner in open_ if owner.least <= len(steps)]
        if ripe and rng.random() < 0.14:
            owner = rng.choice(ripe)
            open_.remove(owner)
            step("commit" if rng.random() < 0.75 else "rollback", owner)
    if all_end:
        for owner in open_:
            step("rollback", owner)
    return steps


class Course:
    """What `load --acknowledge --batch N` makes of steps: what counts after each thing that counts, and in which order it is acknowledged.

    An event is what comes into being at once: operations that stand alone, up to a batch of them, or all those of a transaction. After a kill
    or a power cut the log holds the first k events, for some k, and nothing of the others."""

    def __init__(self, steps, batch):
        self.steps = steps
        # Of each event the operations (places in `steps`) and the place behind its last line.
        self.events, self.ends = [()], [0]
        self.acknowledged = []
        pending, inside = [], {}

        def flush():
            if pending:
                self.add(tuple(pending), pending[-1] + 1)
                pending.clear()

        for place, step in enumerate(steps):
            if step.kind == "operation" and step.owner is None:
                pending.append(place)
                if len(pending) == batch:
                    flush()
            elif step.kind == "operation":
                flush()
                inside[step.owner].append(place)
            elif step.kind == "begin":
                inside[step.owner] = []
            elif step.kind == "commit":
                flush()
                operations = tuple(inside.pop(step.owner))
                if operations:
                    self.add(operations, place + 1)
            else:
                inside.pop(step.owner)
        flush()
        self.isOpenAtEnd = bool(inside)
        self.counts = [0]
        for event in self.events[1:]:
            self.counts.append(self.counts[-1] + len(event))

    def add(self, operations, end):
        self.events.append(operations)
        self.ends.append(end)
        self.acknowledged += operations

    def kept(self, event):
        """The operations that count after `event` events, in their order."""
        return sorted(place for operations in self.events[:event + 1] for place in operations)

    def promised(self, count):
        """How many events there must be once `count` operations were acknowledged."""
        return bisect.bisect_left(self.counts, count)

    def event(self, count):
        """After how many events `count` operations count; None if that cannot be."""
        at = bisect.bisect_left(self.counts, count)
        return at if at < len(self.counts) and self.counts[at] == count else None

    def rest(self, event):
        """What is left to be loaded after a kill that left `event` events: the transactions that were open are gone."""
        end = self.ends[event]
        steps, owners = [], {None: None}
        for step in self.steps[end:]:
            if step.kind == "begin":
                owners[step.owner] = Transaction(step.owner.name)
                owners[step.owner].begin = len(steps)
            if step.owner in owners:
                steps.append(Step(step.kind, owners[step.owner], step.raw))
        return steps
