"""Proposes rooms for a complaint: the words of the lexicon, then age and pregnancy. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from typing import Any

from clinic.complaint_text import Hit, PhraseIndex, fold, longest_first
from clinic.denials import Denial
from clinic.rooms import DENTAL, ELDERLY, GENERAL, MATERNAL, Case, Rooms
from models import PoliKind

STRONG = 3  # a weight that names its room by itself
WITH_CHILD = {"ya": "hamil", "nifas": "nifas"}
_SINCE = ("habis", "pasca", "setelah", "post")
_BIRTH = ("melahirkan", "lahiran", "salin", "persalinan", "partum", "partus")
_BIRTH += ("sesar", "operasi sesar", "op sesar")
# What tells of a pregnancy nobody asked about. Who plans one or tests for one may have none.
_PREGNANT = (
    *("hamil", "bumil", "kandungan", "kehamilan", "janin", "anc", "inpartu", "gravida"),
    *(f"g{number}" for number in range(1, 10)),  # "G2P1A0"
    *("telat haid", "terlambat haid", "telat datang bulan", "terlambat datang bulan"),
    *("terlambat bulan", "telat bulan", *(f"telat {months} bulan" for months in range(1, 5))),
    *("mau melahirkan", "mau lahiran", "mau lahir", "kenceng"),
)
_AFTER_BIRTH = (
    "nifas",
    "pnc",
    "postpartum",
    *(f"{when} {birth}" for when, birth in product(_SINCE, _BIRTH)),
)
AFTER_BIRTH_PHRASES = PhraseIndex.of((fold(phrase), phrase) for phrase in _AFTER_BIRTH)
# A pregnant woman should lose no blood; one after birth does, but not so.
MUCH = frozenset({"banyak", "terus", "deras", "gumpalan", "mengumpal"})
PREGNANT_PHRASES = PhraseIndex.of((fold(phrase), phrase) for phrase in _PREGNANT)


@dataclass(frozen=True)
class Proposal:
    poli_code: str
    poli_name: str
    points: int
    words: tuple[str, ...]
    reason: str
    is_strong: bool = False
    is_red: bool = False
    moved_words: tuple[str, ...] = ()  # of a room that isn't for this patient


@dataclass(frozen=True)
class Lexicon:
    terms: Mapping[int, Any]
    index: PhraseIndex

    @classmethod
    def of(cls, rows: tuple[Any, ...]) -> "Lexicon":
        return cls(
            {row.id: row for row in rows}, PhraseIndex.of((row.folded, row.id) for row in rows)
        )

    def hits(self, case: Case) -> list[Hit]:
        """The phrases of the complaint that count at this age and pregnancy, denied ones too."""
        found = [hit for hit in self.index.find(case.read) if _counts(self.terms[hit.key], case)]
        return [_weighed(hit, self.terms[hit.key]) for hit in found]

    def red_flags(self, case: Case) -> tuple[str, ...]:
        """The danger signs of the complaint, as the lexicon writes them."""
        red = [hit for hit in self.hits(case) if self.terms[hit.key].is_red_flag]
        return tuple(self.terms[hit.key].phrase for hit in longest_first(red))


def _weighed(hit: Hit, term: Any) -> Hit:
    """The hit, without a denial that isn't sure enough for such a term."""
    is_strong = term.is_red_flag or term.weight >= STRONG
    doubted = (hit.denial is Denial.JOINED and is_strong) or (
        hit.denial is Denial.NEVER and not term.is_red_flag
    )
    return hit._replace(denial=Denial.NONE) if doubted else hit


def _counts(term: Any, case: Case) -> bool:
    if term.needs_pregnant and not (_is_pregnant(case) or _is_much_after_birth(term, case)):
        return False
    low, high = term.age_from_months, term.age_below_months
    if low is None and high is None:
        return True
    months = case.months
    return months is not None and (low or 0) <= months and (high is None or months < high)


def _is_pregnant(case: Case) -> bool:
    if case.pregnant or case.sex == "L":
        return case.pregnant == "ya"
    return any(not hit.is_denied for hit in PREGNANT_PHRASES.find(case.read))


def _is_much_after_birth(term: Any, case: Case) -> bool:
    if not term.is_red_flag or MUCH.isdisjoint(term.folded.split()):
        return False
    if case.pregnant or case.sex == "L":
        return case.pregnant == "nifas"
    return any(not hit.is_denied for hit in AFTER_BIRTH_PHRASES.find(case.read))


@dataclass(frozen=True)
class Proposer:
    rooms: Rooms
    lexicon: Lexicon
    long_cough: tuple[str, str] | None = None  # room and words, when the complaint tells of one
    is_injury: bool = False  # what UMUM may see of small children too

    def propose(self, case: Case) -> list[Proposal]:
        """Open rooms, best first. Empty only when neither age nor complaint is known."""
        scored = sorted(self._by_words(case), key=self._order)
        if case.pregnant in WITH_CHILD:
            scored = self._maternal_first(case, scored)
        if not scored and case.months is None and not case.complaint.strip():
            return []
        # A laboratory takes whom a doctor sends, so the doctor's room is offered beside it.
        has_doctor = any(not self.rooms.by_code[one.poli_code].needs_order for one in scored)
        return scored if has_doctor else [*scored, *self._by_age(case)]

    def _by_words(self, case: Case) -> list[Proposal]:
        groups: dict[str, list[Hit]] = {}
        hits = self.lexicon.hits(case)
        stays = self._stays_in_general(hits, case)
        for hit in hits:
            room = self.lexicon.terms[hit.key].poli_code
            for code in [GENERAL] if stays and room == GENERAL else self._targets(room, case):
                groups.setdefault(code, []).append(hit)
        found = {code: self._scored(code, hits) for code, hits in groups.items()}
        if self.long_cough:
            self._add_long_cough(case, found)
        return [proposal for proposal in found.values() if proposal.points]

    def _stays_in_general(self, hits: list[Hit], case: Case) -> bool:
        """An injured child needs no sick-child form, unless it is ill too."""
        room = self.rooms.suitable(GENERAL, case)
        if not self.is_injury or room == GENERAL or not self.rooms.is_active(GENERAL):
            return False
        rooms = {self.lexicon.terms[hit.key].poli_code for hit in hits if not hit.is_denied}
        return case.months is not None and room not in rooms

    def _targets(self, code: str, case: Case) -> list[str]:
        # "istri hamil", said by a man, is not about him.
        if self.rooms.is_other_sex(code, case):
            return []
        is_unsure = code == ELDERLY and case.months is None
        if is_unsure or code not in self.rooms.by_code:
            code = GENERAL
        target = self.rooms.suitable(code, case) or self.rooms.suitable(GENERAL, case)
        if target in (GENERAL, ELDERLY) and self.rooms.is_elderly(case.months):
            return [code for code in (ELDERLY, GENERAL) if self.rooms.is_active(code)]
        return [target] if target else []

    def _is_red(self, hit: Hit) -> bool:
        return self.lexicon.terms[hit.key].is_red_flag

    def _scored(self, code: str, of_room: list[Hit]) -> Proposal:
        hits = longest_first(of_room)
        terms = [self.lexicon.terms[hit.key] for hit in hits]
        words = tuple(dict.fromkeys(term.phrase for term in terms))
        return Proposal(
            poli_code=code,
            poli_name=self.rooms.name(code),
            points=sum(term.weight for term in terms),
            words=words,
            reason=f"Karena keluhan: {quoted(words)}",
            is_strong=any(term.weight >= STRONG for term in terms),
            # "Kontrol luka bakar": the longer word of the room takes no danger sign away.
            is_red=bool(longest_first(hit for hit in of_room if self._is_red(hit))),
            moved_words=tuple(
                term.phrase for term in terms if term.poli_code not in (code, GENERAL, ELDERLY)
            ),
        )

    def _add_long_cough(self, case: Case, found: dict[str, Proposal]) -> None:
        room, words = self.long_cough
        target = self.rooms.suitable(room, case)
        if not target or (target in found and found[target].is_strong):
            return
        found[target] = self._proposal(target, f"Karena keluhan: {quoted((words,))}", (words,))
        found[target] = replace(found[target], points=STRONG, is_strong=True)

    def _order(self, proposal: Proposal) -> tuple:
        room = self.rooms.by_code[proposal.poli_code]
        return (
            not proposal.is_red,
            not proposal.is_strong,
            -proposal.points,
            room.code != ELDERLY,
            # "Vaksin rabies" says more than the "vaksin" in it.
            -sum(len(phrase.split()) for phrase in proposal.words) * proposal.is_strong,
            room.position,
        )

    def _maternal_first(self, case: Case, scored: list[Proposal]) -> list[Proposal]:
        """KIA before all but danger and teeth: it knows the pregnancy and sends on."""
        if self.rooms.suitable(MATERNAL, case) != MATERNAL:
            return scored
        if scored and (scored[0].is_red or scored[0].poli_code == DENTAL):
            return scored
        words = tuple(dict.fromkeys(word for one in scored for word in one.words))
        reason = f"Karena pasien {WITH_CHILD[case.pregnant]}"
        first = replace(
            self._proposal(MATERNAL, reason + (f", keluhan: {quoted(words)}" if words else "")),
            points=max((one.points for one in scored), default=0),
            words=words,
        )
        return [first, *(one for one in scored if one.poli_code != MATERNAL)]

    def _by_age(self, case: Case) -> list[Proposal]:
        codes = [self.rooms.suitable(GENERAL, case) or self._any_room(case)]
        if self.rooms.is_elderly(case.months) and self.rooms.is_active(ELDERLY):
            codes = [ELDERLY, *(code for code in codes if code != ELDERLY)]
        reason = f"Dipilih menurut umur: {case.age_words}"
        if case.months is None:
            reason = "Kata keluhan belum dikenal dan umur belum diisi"
        return [self._proposal(code, reason) for code in codes if code]

    def _any_room(self, case: Case) -> str | None:
        open_rooms = [
            code
            for code, room in self.rooms.by_code.items()
            if room.is_active and not room.needs_order
        ]
        # The emergency room takes everybody; a dentist is no answer to a fever.
        open_rooms.sort(key=lambda code: self.rooms.by_code[code].kind != PoliKind.EMERGENCY)
        fitting = [code for code in open_rooms if not self.rooms.outside(code, case, case.months)]
        return next(iter(fitting or open_rooms), None)

    def _proposal(self, code: str, reason: str, words: tuple[str, ...] = ()) -> Proposal:
        return Proposal(code, self.rooms.name(code), 0, words, reason)


def is_told(phrases: str | None, case: Case) -> bool:
    """Whether one of the phrases, parted by commas, stands in the complaint undenied."""
    return bool(phrases) and any(not hit.is_denied for hit in _parted(phrases).find(case.read))


@lru_cache(maxsize=64)  # the rules' phrases, which each proposal and save asks for
def _parted(phrases: str) -> PhraseIndex:
    return PhraseIndex.of((fold(part), part) for part in phrases.split(","))


def quoted(words: tuple[str, ...]) -> str:
    """Such as "demam", "batuk" in quotes."""
    return ", ".join(f'"{word}"' for word in words)
