"""How fast and how well diagnoses are found: `python -m bench.icd10`.

The whole ICD-10 in a demo clinic, on SQLite and on PostgreSQL, asked through the fragment that the
search box asks (login, access, the room's usual codes and the page included), a thousand times: in
Indonesian, in English, by code, half typed, spelled as people spell, and with a slip of the hand.
A query is made from a row, so that it is known which code it looks for.
"""

import argparse
import sys
import time
from collections import defaultdict
from random import Random

from flask import current_app
from sqlalchemy import select

import demo_commands
from bench.matching import opened
from bench.report import percentile
from clinic import queues, reference
from clinic.demo_desks import actor, staff
from db import db, transaction
from models import EntryState, Icd10Term, Poli, QueueEntry
from tests import postgres
from tests.pages import PageClient, login

BUDGET = 50  # ms, p95
WARM_UP = 30
SPELLINGS = [("f", "ph"), ("i", "y"), ("t", "th"), ("k", "c"), ("s", "z"), ("r", "rr"), ("ks", "x")]
KINDS = ("Indonesian", "half typed", "synonym", "English", "code", "spelled", "slip")


def queries(count: int, seed: int) -> list[tuple[str, str, str]]:
    """Kind, what is typed, and the code that is looked for."""
    random = Random(seed)
    named = [row for row in reference.rows("icd10_id.csv") if row["title_id"]]
    terms = list(db.session.execute(select(Icd10Term.code, Icd10Term.title)).tuples())
    found = []
    for number in range(count):
        kind, row = KINDS[number % len(KINDS)], random.choice(named)
        code, title = random.choice(terms)
        words = sorted(title.replace(",", "").split(), key=len)[-3:]
        typed = {
            "Indonesian": row["title_id"],
            "half typed": " ".join(word[:4] for word in row["title_id"].split()[:2]),
            "synonym": random.choice((row["synonyms"] or row["title_id"]).split()),
            "English": " ".join(words),
            "code": code[: random.randint(3, len(code))],
            "spelled": respelled(row["title_id"].lower(), random),
            "slip": slipped(row["title_id"].lower(), random),
        }[kind]
        found.append((kind, typed, code if kind in ("English", "code") else row["code"]))
    return found


def respelled(title: str, random: Random) -> str:
    """As the other language or an old hand spells it."""
    usable = [(ours, theirs) for ours, theirs in SPELLINGS if ours in title]
    for ours, theirs in random.sample(usable, min(2, len(usable))):
        title = title.replace(ours, theirs, 1)
    return title


def slipped(title: str, random: Random) -> str:
    """One letter of the longest word left out, doubled, or in its neighbour's place."""
    longest = max(title.split(), key=len)
    place = random.randrange(1, max(2, len(longest) - 1))
    before, here, after = longest[:place], longest[place : place + 1], longest[place + 1 :]
    changed = random.choice((before + after, before + here * 2 + after, before + after[:1] + here))
    changed += after[1:] if changed == before + after[:1] + here else ""
    return title.replace(longest, changed)


def visit_address() -> tuple[str, str]:
    """The search's address for somebody who is being served in UMUM, and the queue entry."""
    rows = select(QueueEntry).join(Poli).where(Poli.code == "UMUM")
    serving = rows.where(QueueEntry.state == EntryState.IN_SERVICE)
    entry = db.session.scalar(serving.limit(1))
    if entry is None:
        waiting = rows.where(QueueEntry.state == EntryState.WAITING)
        with transaction():
            entry = db.session.scalar(waiting.limit(1))
            queues.act(actor(staff()["UMUM"]), entry, "mulai")
    return f"/kunjungan/{entry.visit.public_id}/diagnosis", entry.public_id


def signed_in() -> PageClient:
    """A browser of the room's doctor, in this process."""
    current_app.test_client_class = PageClient
    client = current_app.test_client()
    login(client, "umum")
    client.is_checking = False
    return client


def measure(engine: str, plan: argparse.Namespace) -> bool:
    """One engine: prints a line a kind; whether all of it is within the budget."""
    times, hits, busy = defaultdict(list), defaultdict(int), []
    with opened(engine):
        demo_commands.fill_demo()
        (url, entry), client = visit_address(), signed_in()
        asked = queries(plan.queries, plan.seed)
        for number, (kind, typed, code) in enumerate([*asked[:WARM_UP], *asked]):
            began, worked = time.perf_counter(), time.process_time()
            answer = client.get(url, query_string={"antrean": entry, "q": typed})
            took = time.perf_counter() - began
            if number >= WARM_UP:
                times[kind].append(took)
                busy.append(time.process_time() - worked)
                is_hit = f'value="{code}"' in answer.get_data(as_text=True)
                hits[kind] += is_hit
                if not is_hit and plan.misses:
                    print(f"  {engine} {kind}: {typed!r} does not find {code}", file=sys.stderr)
    every = [each for kind in KINDS for each in times[kind]]
    for kind in KINDS:
        print(line(engine, kind, times[kind], hits[kind]))
    print(line(engine, "all", every, sum(hits.values())))
    # The steadiest figure on a machine with other work; without PostgreSQL's own server.
    print(f"{engine:11}CPU of this process      p95 {percentile(busy, 0.95):6.1f}")
    return percentile(every, 0.95) <= BUDGET


def line(engine: str, kind: str, times: list[float], hits: int) -> str:
    marks = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    shares = "  ".join(f"{name} {percentile(times, mark):6.1f}" for name, mark in marks.items())
    return f"{engine:11}{kind:12}{len(times):5}  {shares}  found {hits / len(times):.0%}"


def main() -> int:
    """Both engines; 1 when the budget is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--queries", type=int, default=1_000)
    parser.add_argument("--engine", choices=("sqlite", "postgresql"))
    parser.add_argument("--seed", type=int, default=20_261_125)
    parser.add_argument("--misses", action="store_true", help="show what is not found")
    plan = parser.parse_args()
    engines = [plan.engine] if plan.engine else ["sqlite", "postgresql"]
    usable = [each for each in engines if each == "sqlite" or postgres.is_installed()]
    print("milliseconds of the server, whole request")
    within = [measure(engine, plan) for engine in usable]
    return 0 if all(within) else 1


if __name__ == "__main__":
    sys.exit(main())
