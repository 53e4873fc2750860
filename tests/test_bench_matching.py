"""The benchmark's register and its mistakes: repeatable, and what docs/matching.md says of them."""

import random
import time
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date

import pytest

from bench import addresses, febrl, matching, mistakes, register
from clinic.matching import Person
from clinic.patients import Identity
from models import DatePrecision

ONE = Identity("Muhammad Hasyim Saputra", "L", date(1987, 3, 9), village="Kebun Ayu")


@pytest.fixture(scope="module")
def people():
    return register.build(3_000)


def chance() -> random.Random:
    return random.Random(7)


def test_the_same_register_each_time(people):
    again = register.build(3_000)
    assert again.people == people.people
    assert again.children == people.children
    queries = [mistakes.returning(one, 50, lambda _: True) for one in (people, again)]
    assert queries[0] == queries[1]
    relatives = [mistakes.relatives(one, 20, register.twin_of) for one in (people, again)]
    assert relatives[0] == relatives[1]


def test_the_register_is_one_of_a_clinic(people):
    names = Counter(one.name.upper() for one in people.people)
    shared = sum(count for count in names.values() if count > 1)
    assert 0.4 < shared / len(people.people) < 0.9
    niks = [one.nik for one in people.people if one.nik]
    assert len(set(niks)) == len(niks)
    assert 0.8 < len(niks) / len(people.people) < 0.95
    assert all(bool(one.nik) != bool(one.no_nik_reason) for one in people.people)
    assert {len(one.kk_number or "") for one in people.people} == {0, 16}
    assert {len(nik) for nik in niks} == {16}
    families = Counter(one.kk_number for one in people.people if one.kk_number)
    assert families.most_common(1)[0][1] >= 5
    twins = Counter((one.kk_number, one.birth_date) for one in people.people if one.kk_number)
    assert max(twins.values()) >= 2
    estimated = [one for one in people.people if one.birth_precision == DatePrecision.YEAR]
    assert estimated
    assert all(one.birth_date.year < 1975 for one in estimated)


def test_shares_of_mistakes(people):
    queries = mistakes.returning(people, 2_000, lambda _: True)
    meant = [people.people[query.place] for query in queries]
    pairs = [(query.typed, one) for query, one in zip(queries, meant, strict=True)]
    names = sum(typed.name.upper() != one.name.upper() for typed, one in pairs)
    births = sum(typed.birth_date != one.birth_date for typed, one in pairs)
    assert 0.56 < names / len(pairs) < 0.64
    assert 0.25 < births / len(pairs) < 0.33  # an estimated date may be told as it was
    numbers = [(typed.nik, one.nik) for typed, one in pairs if one.nik]
    wrong = [(a, b) for a, b in numbers if a != b]
    assert 0.03 < len(wrong) / len(numbers) < 0.07
    assert all(sum(x != y for x, y in zip(a, b, strict=True)) == 1 for a, b in wrong)


@pytest.mark.parametrize("kind", mistakes.NAME_MISTAKES)
def test_each_mistake_leaves_a_name(kind):
    drawn = chance()
    made = {mistakes.MAKERS[kind](drawn, ONE.name.upper(), ONE) for _ in range(200)}
    assert len(made - {ONE.name.upper()}) >= 2
    assert all(name.strip() and name == name.strip() for name in made)


def test_a_mistaken_birth_date_is_a_date_of_the_past():
    drawn, newborn = chance(), replace(ONE, birth_date=register.TODAY)
    for one in [ONE, newborn] * 200:
        typed = mistakes.mistaken_birth(drawn, one)
        assert typed.birth_date is None or date(1895, 6, 30) <= typed.birth_date <= register.TODAY
        assert typed == replace(
            one, birth_date=typed.birth_date, birth_precision=typed.birth_precision
        )


def test_relatives_are_somebody_else(people):
    for make, is_same_day in ((register.twin_of, True), (register.sibling_of, False)):
        drawn = chance()
        for at in people.children[:200]:
            child = people.people[at]
            other = make(drawn, child, set(people.niks))
            assert {*other.name.split()} != {*child.name.split()}
            assert other.kk_number == child.kk_number
            assert (other.birth_date == child.birth_date) or not is_same_day


def test_what_each_scenario_knows(people):
    full = next(one for one in people.people if one.nik and one.bpjs_number and one.phone)
    without, bare = mistakes.without_numbers(full), mistakes.bare(full)
    assert (without.nik, without.bpjs_number, without.phone) == (None, None, full.phone)
    known = {name for name, value in vars(bare).items() if value not in (None, "", False)}
    expected = {"name", "sex", "birth_date", "birth_precision", "village"}
    assert known - {"payer", "no_nik_reason"} == expected
    assert mistakes.with_nik(full).nik == full.nik


def test_a_family_has_one_house_and_tells_it_with_mistakes(people):
    at_home = addresses.housed(people)
    assert [replace(one, address="") for one in at_home.people] == list(people.people)
    houses = defaultdict(set)
    for one in at_home.people:
        if one.kk_number:
            houses[one.kk_number].add(one.address)
    assert {len(known) for known in houses.values()} == {1}
    asked = {"returning": mistakes.returning(at_home, 200, lambda _: True)}
    told = addresses.told(asked, 1)["returning"]
    for before, after in zip(asked["returning"], told, strict=True):
        assert replace(after.typed, address=before.typed.address) == before.typed
    same = sum(one.typed.address == at_home.people[one.place].address for one in told)
    assert 80 < same < 160


# The measurement itself, with a register so small that everybody is found


@pytest.fixture(scope="module")
def small():
    return register.build(500)


@pytest.mark.engines("sqlite")
def test_a_small_register_gives_sane_figures(app, small):
    ids = matching.fill(small)
    asked = matching.groups(small, 40)
    outcomes = matching.ask_all(asked, ids, time.process_time, lambda *_: None)
    by = {(one.kind, one.scenario): one for one in outcomes}
    assert by["with a NIK", matching.NIK].share("shown") >= 0.95
    assert by["returning", matching.BARE].share("shown") >= 0.85
    assert by["strangers", matching.BARE].share("false_strong") <= 0.05
    for one in outcomes:
        assert one.count == len(one.wall) == len(one.cpu) == 40
        assert one.strong <= one.possible <= one.count
        assert one.false_strong <= one.false_possible
    report = [matching.line("sqlite", one) for one in outcomes]
    assert {len(text) for text in report} == {len(matching.HEAD)}
    assert len(matching.aims("sqlite", outcomes)) == 9


# FEBRL


def test_febrl_counts_pairs_once_and_both_ways():
    people = {
        "rec-1-org": Person("lara white", date(1931, 2, 4), village="box hill"),
        "rec-1-dup-0": Person("white lara", date(1931, 2, 4), village="boxhill"),
        "rec-1-dup-1": Person("lara whyte", date(1931, 4, 2), village="box hill"),
        "rec-2-org": Person("sam musolino", date(1977, 9, 11), village="otago bay"),
    }
    found = febrl.compare("made up", people, people, "without")
    assert len(found.true) == 3
    assert found.quality(febrl.is_shown) == (1.0, 1.0, 1.0)


def test_febrl_records_become_people():
    row = {"given_name": "lachlan ", "surname": "berry", "suburb": "bittern"}
    row |= {"street_number": "69", "address_1": "giblin street"}
    one = febrl.person(row | {"date_of_birth": "19990219", "soc_sec_id": "7364009"})
    assert (one.name, one.birth_date) == ("lachlan berry", date(1999, 2, 19))
    assert one.own_nik == "5271011707364009"
    other = febrl.person(row | {"date_of_birth": "19991399", "soc_sec_id": ""})
    assert (other.birth_date, other.own_nik) == (None, None)


def test_without_the_package_febrl_is_left_out_in_a_sentence(monkeypatch):
    monkeypatch.setattr(febrl, "find_spec", lambda _: None)
    assert febrl.run() == ([febrl.LEFT_OUT], [])
