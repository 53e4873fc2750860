"""Addresses for the invented register, which has none: `python -m bench.matching --addresses`.

Made after the rules for addresses, and only to see whom these bring up wrongly; the register, its
people and their mistakes stay what they are. Invented from general knowledge: half of the families
tell a hamlet with the number of its RT, a fourth the hamlet alone, a fourth street and house.
"""

import random
from collections.abc import Iterable
from dataclasses import replace

from bench import mistakes
from bench.mistakes import Query
from bench.register import Register
from clinic.patients import Identity

HAMLETS = [
    *("Karang Baru", "Karang Anyar", "Lekong", "Gubuk Timur", "Gubuk Barat", "Montong", "Repok"),
    *("Tanggek", "Dasan Tereng", "Dasan Baru", "Otak Dese", "Bagek Kembar", "Presak"),
    *("Peresak Timur", "Lendang Re", "Tibu Ambung"),
]
STREETS = [
    *("Melati", "Mawar", "Kenanga", "Cempaka", "Anggrek", "Merpati", "Rajawali", "Pendidikan"),
    *("Pariwisata", "Pemuda"),
]
OF_A_VILLAGE = 6  # so many hamlets, and streets, has one
MOVED, SHORTENED, SLIP = 0.15, 0.20, 0.10


def housed(people: Register) -> Register:
    """The same people, each family in one house."""
    return replace(people, people=[_at_home(people.seed, one) for one in people.people])


def told(asked: dict[str, list[Query]], seed: int) -> dict[str, list[Query]]:
    """The same queries with the address told this time."""
    return {kind: list(_all_told(seed, kind, queries)) for kind, queries in asked.items()}


def _all_told(seed: int, kind: str, queries: Iterable[Query]) -> Iterable[Query]:
    chance = random.Random(f"{seed} {kind} addresses")
    for query in queries:
        # Strangers are of no registered family: they get a house of their own.
        typed = query.typed if query.typed.address else _at_home(seed, query.typed)
        yield replace(query, typed=replace(typed, address=_mistaken(chance, typed)))


def _at_home(seed: int, one: Identity) -> Identity:
    family = one.kk_number or f"{one.name} {one.birth_date}"
    return replace(one, address=_house(random.Random(f"{seed} {family}"), one.village or ""))


def _house(chance: random.Random, village: str) -> str:
    there = random.Random(village)
    hamlets, streets = there.sample(HAMLETS, OF_A_VILLAGE), there.sample(STREETS, OF_A_VILLAGE)
    if chance.random() < 0.25:
        return f"Jl. {chance.choice(streets)} No. {chance.randrange(1, 80)}"
    rt = f" RT {chance.randrange(1, 7):02}" if chance.random() < 0.67 else ""
    return f"Dusun {chance.choice(hamlets)}{rt}"


def _mistaken(chance: random.Random, typed: Identity) -> str:
    address, luck = typed.address, chance.random()
    if luck < MOVED:
        return _house(chance, typed.village or "")
    if luck < MOVED + SHORTENED:
        return " ".join(word for word in address.split() if not word.isdigit())
    if luck < MOVED + SHORTENED + SLIP:
        return mistakes.MAKERS["typo"](chance, address, typed)
    return address
