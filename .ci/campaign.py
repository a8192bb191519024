"""A generated game that saves itself, and the plain dictionary that a database fed the same lines is compared with.

The same seed gives the same lines on every machine. What a save log looks like: few actors change most of the time, some die, and
whole saves of a room (integer keys) come in between. Names are not all ASCII, documents not all small.
"""

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
