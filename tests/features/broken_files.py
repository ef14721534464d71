"""Files of touchpoints in which some rows are broken, each in one of many ways."""

import random

HEADER = "identity,occurred_at,kind,channel,direction,topic,topics,value,currency,duration,note\n"


def good_row(n: int) -> str:
    day = f"2025-{n % 12 + 1:02}-{n % 28 + 1:02}"
    note = '"said ""yes"", then left\nfor home"' if n % 10 == 0 else f"note {n} ü 漢字 🙂"
    topics = '"[""pumps"", ""valves""]"' if n % 7 == 0 else ""
    value = f"{n / 100:.2f}" if n % 3 == 0 else ""
    start = f"crm:{n % 500},{day}T10:{n % 60:02}:00Z,visit,web,inbound,pumps"
    return f"{start},{topics},{value},EUR,{n % 90},{note}\n"


_FIELDS = {
    "identity": ["", "   ", "a\0b"],
    "occurred_at": [
        "",
        "soon",
        "2025-13-01",
        "2025-02-30T10:00",
        "2099-01-01",
        "99999999999999999999",
        "0000-00-00",
    ],
    "kind": ["", "\t", "vis\0it"],
    "direction": ["sideways", "in", "INBOUND"],
    "topics": ["pumps", "[1]", "{}", '"[""a"""', "null"],
    "value": ["nan", "inf", "-inf", "12,50", "1_000", "abc", "1e999", "0x10", "٣"],
    "currency": ["XXX", "€", "eur"],
    "duration": ["-1", "long", "NaN"],
}


def broken_row(n: int, rng: random.Random) -> bytes:
    """A row of exactly one line that no reader can store."""
    names = HEADER.strip().split(",")
    fields = ["crm:1", "2025-01-01", "visit", "web", "inbound", "pumps", "", "1.5", "EUR", "3", f"broken {n}"]
    way = n % 6
    if way <= 2:
        name = rng.choice(list(_FIELDS))
        value = rng.choice(_FIELDS[name])
        fields[names.index(name)] = f'"{value}"' if "," in value and not value.startswith('"') else value
    elif way == 3:
        del fields[rng.randrange(len(fields)) :]
        fields = fields or ["x"]
    elif way == 4:
        fields += ["more"] * rng.randint(1, 3)
    else:
        return rng.choice(
            [
                f'"crm:1,2025-01-01,visit,web,inbound,pumps,,1.5,EUR,3,unclosed {n}\n'.encode(),
                f'crm:1,2025-01-01,"vis"it,web,inbound,pumps,,1.5,EUR,3,{n}\n'.encode(),
                f"crm:1,2025-01-01,visit,web,inbound,pumps,,1.5,EUR,3,m\u00fcller {n}\n".encode("latin-1"),
            ]
        )
    return (",".join(fields) + "\n").encode()


def mixed_file(good: int, broken: int, seed: int) -> bytes:
    """A file of good and broken rows in random order."""
    rng = random.Random(seed)
    rows = [good_row(n).encode() for n in range(good)] + [broken_row(n, rng) for n in range(broken)]
    rng.shuffle(rows)
    return HEADER.encode() + b"".join(rows)
