"""The demo clinic's people: invented families, the same on every day (fixed seed).

Numbers can't be anybody's: regency 99 exists in no province, no mobile number begins with 086 and
no BPJS number with 0009.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from random import Random

from clinic.data_files import texts
from clinic.demo_names import FAMILY_NAMES, GROUPS, full_name, streets, words
from clinic.patients import Identity
from models import DatePrecision, NoNikReason

SEED = 20260601
ANCHOR = date(2026, 6, 1)  # ages are drawn for this day
LAST_BIRTH = date(2036, 1, 1)  # who is born later than the clinic's today is left out
FIRST_BABY = date(2022, 1, 1)  # some children born since have no NIK yet
HOW_MANY = 2000
HOME_REGION = "529901"
ORIGINS = {"jawa": "359904", "sunda": "329907", "bali": "519906", "bugis": "739903"} | {
    "batak": "129905",
    "timur": "539902",
}
# Known to the benchmark of the history page; a wound that never heals is dressed on workdays.
LONG_TIME_PATIENT = "Lalu Mansyur Hadi"
PAYERS = {
    "JKN_PBI": 47,
    "JKN_NON_PBI": 22,
    "UMUM": 20,
    "JAMKESDA": 7,
    "GRATIS_PROGRAM": 2,
    "ASURANSI_LAIN": 2,
}
INSURED = {"JKN_PBI", "JKN_NON_PBI"}


@dataclass(frozen=True)
class Person:
    """A patient to be, with what their visits follow from."""

    identity: Identity
    births: tuple[date, ...] = ()  # of her children
    ills: frozenset[str] = frozenset()  # tags of demo_cases.csv
    visits: int = 0  # fixed number of visits; 0: by age and chance

    @property
    def born(self) -> date | None:
        return self.identity.birth_date


@dataclass
class Home:
    """What the people of one family card share."""

    group: str
    address: str
    village: str
    rt: str
    rw: str
    kk_number: str
    phone: str | None
    payer: str

    def identity(self, **own) -> Identity:
        shared = {
            "address": self.address,
            "village": self.village,
            "rt": self.rt,
            "rw": self.rw,
            "kk_number": self.kk_number,
        }
        return Identity(**shared | own)


@dataclass
class Census:
    """Draws families until there are enough people; one random source, always the same."""

    random: Random = field(default_factory=lambda: Random(SEED))  # noqa: S311
    serials: Counter = field(default_factory=Counter)

    @cached_property
    def villages(self) -> dict[str, int]:
        return {row["name"]: 12 if row["is_in_area"] else 2 for row in texts("villages.csv")}

    def people(self) -> list[Person]:
        """Everybody born by ANCHOR in the order of registration, then those born later."""
        born, later = list(self.strangers()), []
        while len(born) < HOW_MANY:
            for person in self.household():
                (later if person.born > ANCHOR else born).append(person)
        return born + sorted(later, key=lambda person: person.born)

    # --- Families ---

    def household(self) -> list[Person]:
        group = self.pick(GROUPS)
        home = self.home(group)
        if self.random.random() < 0.1:
            return [self.adult(home, self.pick({"L": 1, "P": 1}), self.birth(18, 34))]
        mother_born = self.birth(19, 82, peak=0.08)
        children_born = self.births(mother_born)
        mother = self.adult(home, "P", mother_born, children_born)
        father = self.adult(
            home, "L", mother_born - timedelta(days=self.random.randint(-400, 2900))
        )
        years = (ANCHOR - mother_born).days // 365
        has_father = self.random.random() < (0.93 if years < 60 else 0.6)
        family = father.identity.name.split()[-1] if group in FAMILY_NAMES else ""
        children = list(self.children(home, mother.identity, children_born, family))
        return [*([father] if has_father else []), mother, *children, *self.grandparents(home)]

    def births(self, mother_born: date) -> tuple[date, ...]:
        """When her children were born; twins share a day."""
        wanted = self.pick({0: 8, 1: 22, 2: 36, 3: 22, 4: 8, 5: 4})
        next_on = mother_born + timedelta(days=self.random.randint(19 * 365, 29 * 365))
        found: list[date] = []
        while len(found) < wanted and next_on < LAST_BIRTH and _years(mother_born, next_on) < 42:
            found += [next_on] * (2 if self.random.random() < 0.02 else 1)
            next_on += timedelta(days=self.random.randint(700, 2100))
        return tuple(found)

    def children(
        self, home: Home, mother: Identity, born: tuple[date, ...], family: str
    ) -> Iterator[Person]:
        for rank, on in enumerate(born):
            if _years(on, ANCHOR) > 23 and self.random.random() < 0.7:
                continue  # has left the house
            sex = self.pick({"L": 51, "P": 49})
            own = self.numbers(home, sex, on) | {
                "name": full_name(self.random, home.group, sex, on.year, rank=rank, family=family),
                "mother_name": mother.name,
            }
            twins = born.count(on) > 1
            if twins or on >= FIRST_BABY:
                own["birth_order"] = 1 + rank - born.index(on)
            if on >= FIRST_BABY and self.random.random() < 0.3:
                own |= {"nik": None, "no_nik_reason": NoNikReason.NEWBORN, "bpjs_number": None}
                own |= {"mother_nik": mother.nik, "payer": "UMUM"}
                if on.year >= ANCHOR.year:
                    own["name"] = f"By. Ny. {mother.name.removeprefix('Hj. ')}" + (
                        f" {own['birth_order']}" if twins else ""
                    )
            yield Person(self.with_phone(home.identity(**own), home, on), ills=self.ills(on))

    def grandparents(self, home: Home) -> list[Person]:
        if self.random.random() > 0.1:
            return []
        return [self.adult(home, self.pick({"L": 1, "P": 2}), self.birth(63, 88))]

    def adult(self, home: Home, sex: str, born: date, births: tuple[date, ...] = ()) -> Person:
        region = HOME_REGION
        if self.random.random() < 0.6:
            region = ORIGINS.get(home.group, HOME_REGION)
        own = self.numbers(home, sex, born, region) | {
            "name": full_name(
                self.random, home.group, sex, born.year, rank=self.random.randrange(4)
            )
        }
        if self.random.random() < 0.35:
            own["mother_name"] = full_name(self.random, home.group, "P", born.year - 25)
        if not births or births[-1] < FIRST_BABY:  # a baby without NIK is known by its mother's
            own |= self.without_nik(born)
        person = home.identity(**own)
        return Person(self.with_phone(person, home, born), births, self.ills(born))

    def strangers(self) -> Iterator[Person]:
        """The long-time patient, foreigners, and people nobody knows."""
        home = self.home("sasak")
        born = date(1958, 3, 11)
        known = home.identity(name=LONG_TIME_PATIENT, **self.numbers(home, "L", born))
        identity = self.with_phone(known, home, born)
        yield Person(identity, ills=frozenset({"dm", "luka"}), visits=500)
        for name, sex in [(name, s) for s in ("L", "P") for name in words("asing", s)]:
            home = self.home("muslim")
            own = {"name": name, "sex": sex, "birth_date": self.birth(22, 60)}
            passport = f"X{self.random.randint(1000000, 9999999)}"
            own |= {"no_nik_reason": NoNikReason.FOREIGNER, "passport_no": passport}
            yield Person(replace(home.identity(**own), kk_number=None))
        for sex, name in (("L", "Tn. X (Pasar Lama)"), ("P", "Ny. X (Terminal)")):
            unknown = {"sex": sex, "birth_precision": DatePrecision.YEAR, "is_unknown": True}
            reason = NoNikReason.UNKNOWN
            yield Person(Identity(name, no_nik_reason=reason, address="Belum diketahui", **unknown))

    # --- Numbers and addresses ---

    def home(self, group: str) -> Home:
        street = f"Jalan {self.random.choice(streets('street'))} {self.random.randint(1, 140)}"
        hamlet = f"Dusun {self.random.choice(streets('hamlet'))}"
        issued = date(2006, 1, 1) + timedelta(days=self.random.randrange(7000))
        return Home(
            group=group,
            address=self.random.choice((street, hamlet, f"{hamlet}, {street}")),
            village=self.pick(self.villages),
            rt=f"{self.random.randint(1, 12):03}",
            rw=f"{self.random.randint(1, 8):03}",
            kk_number=self.serial(f"{HOME_REGION}{issued:%d%m%y}"),
            phone=self.phone() if self.random.random() < 0.85 else None,
            payer=self.pick(PAYERS),
        )

    def numbers(self, home: Home, sex: str, born: date, region: str = HOME_REGION) -> dict:
        """Sex, birth date, a NIK that tells both, and how the person pays."""
        told = born
        if self.random.random() < 0.02:  # honest cards differ: the NIK kept an old mistake
            told = date(born.year - 1, born.month, min(born.day, 28))
        day = told.day + (40 if sex == "P" else 0)
        payer = home.payer if self.random.random() < 0.9 else self.pick(PAYERS)
        has_card = payer in INSURED or self.random.random() < 0.15
        return {
            "sex": sex,
            "birth_date": born,
            "nik": self.serial(f"{region}{day:02}{told:%m%y}"),
            "payer": payer,
            "bpjs_number": f"0009{self.random.randrange(10**9):09}" if has_card else None,
        }

    def serial(self, beginning: str) -> str:
        """NIK or family card number: the next of this beginning, so never the same twice."""
        self.serials[beginning] += self.random.randint(1, 3)
        return f"{beginning}{self.serials[beginning]:04}"

    def without_nik(self, born: date) -> dict:
        reason = self.pick(
            {
                None: 895,
                NoNikReason.NOT_BROUGHT: 58,
                NoNikReason.FORGOT_CARD: 44,
                NoNikReason.NO_PAPERS: 18,
            }
        )
        if reason is None:
            return {}
        if reason is not NoNikReason.NO_PAPERS:
            return {"nik": None, "no_nik_reason": reason}
        estimate = {"birth_date": date(born.year, 7, 1), "birth_precision": DatePrecision.YEAR}
        return estimate | {"nik": None, "no_nik_reason": reason, "kk_number": None}

    def phone(self) -> str:
        return f"+6286{self.random.randrange(10**8, 10**9)}"

    def with_phone(self, identity: Identity, home: Home, born: date) -> Identity:
        is_own = _years(born, ANCHOR) >= 16 and self.random.random() < 0.6
        if is_own:
            return replace(identity, phone=self.phone(), phone_owner="sendiri")
        if home.phone:
            return replace(identity, phone=home.phone, phone_owner="keluarga")
        return identity

    def ills(self, born: date) -> frozenset[str]:
        """Lasting diseases, likelier with age."""
        years = _years(born, ANCHOR)
        chances = {
            "ht": 0.34 if years >= 60 else 0.16 if years >= 40 else 0,
            "dm": 0.13 if years >= 60 else 0.07 if years >= 40 else 0,
            "asma": 0.02 if years >= 6 else 0,
            "tb": 0.012 if years >= 18 else 0,
            "jiwa": 0.008 if 20 <= years < 60 else 0,
        }
        return frozenset(ill for ill, chance in chances.items() if self.random.random() < chance)

    def birth(self, youngest: int, oldest: int, peak: float = 0.3) -> date:
        """A birth date for an age on ANCHOR; `peak` says where between them most people are."""
        years = self.random.triangular(youngest, oldest, youngest + (oldest - youngest) * peak)
        return ANCHOR - timedelta(days=int(years * 365.25) + 1)

    def pick(self, shares: dict):
        return self.random.choices(list(shares), list(shares.values()))[0]


def people(today: date) -> list[Person]:
    """The demo clinic's patients, in the order of their medical record numbers."""
    return [person for person in Census().people() if person.born is None or person.born <= today]


def _years(born: date, on: date) -> int:
    return (on - born).days // 365
