"""Which room, which cluster, what to ask first: rules of choosing that are rows, not code.

Rooms say whom they are for, terms which words speak for a room, rules what is worth a question.
`load()` keeps them in memory until one changes; everything after it is pure.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import func, select

from clinic import settings
from clinic.long_cough import cough_sign
from clinic.proposals import WITH_CHILD, Lexicon, Proposal, Proposer, is_told, quoted
from clinic.rooms import ELDERLY, Case, Rooms
from db import db, run
from formatting import cluster_words
from models import ComplaintTerm, Level, Poli, RoutingRule

ADULT_MONTHS = 18 * 12
# What a rule's message may say; each is filled in where the rule knows it.
PLACEHOLDERS = ("poli", "target", "age", "cutoff", "words", "label", "chosen", "cluster")


@dataclass(frozen=True)
class Cluster:
    code: str
    why: str  # at most 60 characters: a visit keeps it


@dataclass(frozen=True)
class Finding:
    rule: str
    level: str
    message: str
    target_code: str | None = None


@dataclass
class _Question:
    """One run of the rules: what they look at besides the case."""

    case: Case
    chosen_cluster: str | None
    open_entries: Sequence[tuple[str, str]]
    has_order: bool
    found: list[Finding] = field(default_factory=list)


Facts = dict[str, str | None]


@dataclass(frozen=True)
class Routing:
    polis: Mapping[str, Any]
    rules: Sequence[Any]
    terms: Sequence[Any]
    elderly_months: int
    kb_cluster: str

    @cached_property
    def rooms(self) -> Rooms:
        return Rooms(self.polis, self.elderly_months)

    @cached_property
    def lexicon(self) -> Lexicon:
        return Lexicon.of(tuple(self.terms))

    def propose(self, case: Case) -> list[Proposal]:
        """Open rooms, best first; empty only when neither age nor complaint is known."""
        # What spares a child W1's question leaves it in the room that W1 asks about.
        spared = any(row.rule == "W1" and is_told(row.unless_words, case) for row in self.rules)
        return Proposer(self.rooms, self.lexicon, self._long_cough(case), spared).propose(case)

    def red_flags(self, case: Case) -> tuple[str, ...]:
        """Danger signs in the complaint, as the lexicon writes them."""
        return self.lexicon.red_flags(case)

    def cluster(self, case: Case) -> Cluster:
        """The ILP cluster by room, age in completed months and pregnancy, and what gave it."""
        room = self.polis.get(case.poli_code)
        rule = room.cluster_rule if room else "AGE"
        if rule == "KB":
            return Cluster(self.kb_cluster, f"{room.name}, menurut pengaturan puskesmas")
        if rule != "AGE":
            return Cluster(rule, f"Menurut ruang {room.name}")
        if case.pregnant in WITH_CHILD:
            return Cluster("2", f"Pasien {WITH_CHILD[case.pregnant]}")
        if case.known_months is None:
            return Cluster("3", "Umur belum diketahui, dianggap dewasa")
        if case.known_months < ADULT_MONTHS:
            return Cluster("2", f"Umur {case.age_words} (di bawah 18 tahun)")
        return Cluster("3", f"Umur {case.age_words} (18 tahun ke atas)")

    def findings(
        self,
        case: Case,
        *,
        chosen_cluster: str | None = None,
        open_entries: Sequence[tuple[str, str]] = (),
        has_order: bool = False,
    ) -> list[Finding]:
        """What to show before saving, in the order of the rules; rules that are off are silent.

        open_entries are (poli code, number) of this patient's unfinished queue entries today.
        """
        question = _Question(case, chosen_cluster, open_entries, has_order)
        for row in self.rules:
            may_apply = row.level != Level.OFF and self._holds(row, case)
            if may_apply and not is_told(row.unless_words, case):
                facts = self._facts(row, question)
                if facts is not None:
                    question.found.append(self._finding(row, case, facts))
        return question.found

    def _holds(self, row: Any, case: Case) -> bool:
        """The conditions that stand in the row."""
        months = case.known_months
        has_limits = row.age_from_months is not None or row.age_below_months is not None
        if has_limits and months is None:
            return False
        return (
            (not row.poli_in or case.poli_code in row.poli_in.split())
            and (not row.poli_not_in or case.poli_code not in row.poli_not_in.split())
            and (not row.sex or case.sex == row.sex)
            and (not row.pregnant_in or (case.pregnant or "unknown") in row.pregnant_in.split())
            and (row.age_from_months is None or months >= row.age_from_months)
            and (row.age_below_months is None or months < row.age_below_months)
        )

    def _facts(self, row: Any, question: _Question) -> Facts | None:
        """What the message tells; None when the rule doesn't apply after all."""
        if row.is_computed:
            compute = _COMPUTED.get(row.rule)
            return compute(self, row, question) if compute else None
        if row.level != Level.ERROR and row.target_code and not self._target(row, question.case):
            return None  # advice to go to a closed room helps nobody
        return {}

    def _target(self, row: Any, case: Case) -> str | None:
        """The rule's target, or where it redirects this patient; None when that is closed."""
        if not self.rooms.is_active(row.target_code):
            return None
        return self.rooms.suitable(row.target_code, case)

    def _finding(self, row: Any, case: Case, facts: Facts) -> Finding:
        target = facts.get("target") or self._target(row, case)
        level = facts.get("level") or row.level.value
        known = {
            "poli": self.rooms.name(case.poli_code) or "ruang ini",
            "target": self.rooms.name(target) or "ruang lain",
            "age": case.age_words,
            "cutoff": str(self.elderly_months // 12),
            **{name: value for name, value in facts.items() if value and name != "target"},
        }
        message = row.message
        for name in PLACEHOLDERS:
            message = message.replace("{" + name + "}", known.get(name, ""))
        message = message[:1].upper() + message[1:]
        return Finding(row.rule, level, message, target if target != case.poli_code else None)

    # --- Conditions that are computed: facts, or None when the rule doesn't apply ---

    def _danger(self, _row: Any, question: _Question) -> Facts | None:
        flags = self.red_flags(question.case)
        return {"words": ", ".join(flags)} if flags else None

    def _under_elderly(self, _row: Any, question: _Question) -> Facts | None:
        return None if self.rooms.is_elderly(question.case.known_months) else {}

    def _elderly_elsewhere(self, _row: Any, question: _Question) -> Facts | None:
        is_meant = self.rooms.is_elderly(question.case.known_months)
        return {} if is_meant and self.rooms.is_active(ELDERLY) else None

    def _other_room(self, row: Any, question: _Question) -> Facts | None:
        case = question.case
        proposals = self.propose(case)
        if not proposals or case.poli_code not in self.polis:
            return None
        best = proposals[0]
        chosen = sum(one.points for one in proposals if one.poli_code == case.poli_code)
        is_answered = any(found.target_code == best.poli_code for found in question.found) or any(
            # A rule of this room that makes an exception (a child's injury) has decided too.
            row.poli_in and row.target_code == best.poli_code and self._holds(row, case)
            for row in self.rules
        )
        needs_order = self.polis[best.poli_code].needs_order and not question.has_order
        # A laboratory's words ("cek darah") don't draw a patient past the doctor.
        if best.poli_code == case.poli_code or is_answered or needs_order:
            return None
        # "Hamil" of a woman of 66 goes to Poli Lansia, but isn't usually treated there.
        words = tuple(word for word in best.words if word not in best.moved_words)
        is_better = best.points - chosen >= (row.threshold or 1)
        return {"target": best.poli_code, "words": quoted(words)} if words and is_better else None

    def _without_order(self, _row: Any, question: _Question) -> Facts | None:
        room = self.polis.get(question.case.poli_code)
        return {} if room and room.needs_order and not question.has_order else None

    def _already_there(self, _row: Any, question: _Question) -> Facts | None:
        here = question.case.poli_code
        labels = [label for code, label in question.open_entries if code == here]
        return {"label": ", ".join(labels)} if labels else None

    def _cough(self, _row: Any, question: _Question) -> Facts | None:
        cough = self._long_cough(question.case)
        return {"words": cough[1]} if cough else None

    def _long_cough(self, case: Case) -> tuple[str, str] | None:
        """Room and words of a cough of P1's days or longer, or with blood."""
        for row in self.rules:
            if row.rule == "P1" and row.level != Level.OFF:
                sign = cough_sign(case.read, row.threshold or 14)
                return (row.target_code or "", sign) if sign else None
        return None

    def _other_cluster(self, _row: Any, question: _Question) -> Facts | None:
        chosen, computed = question.chosen_cluster, self.cluster(question.case)
        if not chosen or chosen == computed.code:
            return None
        told = {"chosen": cluster_words(chosen), "cluster": cluster_words(computed.code)}
        return told | {"words": computed.why}

    def _outside(self, _row: Any, question: _Question) -> Facts | None:
        """Outside the room's age, sex or pregnancy, unless a rule of the room tells just that."""
        case, room = question.case, self.polis.get(question.case.poli_code)
        why = self.rooms.outside(room.code, case, case.known_months) if room else None
        if not why or any(self._tells(row, question, why.about) for row in self.rules):
            return None
        target = self.rooms.suitable(room.redirect_code, case)
        level = Level.ERROR if room.blocks_outside else None
        return {"words": why.words, "target": target, "level": level and level.value}

    def _tells(self, row: Any, question: _Question, about: str) -> bool:
        """Whether it speaks of the room and of this; beside danger (R1) nothing else matters."""
        has_age = row.age_from_months is not None or row.age_below_months is not None
        told = {"sex": row.sex, "age": has_age, "pregnancy": row.pregnant_in}[about]
        is_of_room = row.poli_in and row.rule != "L1" and self._holds(row, question.case)
        if not is_of_room or not (told or row.rule == "R1"):
            return False
        return not row.is_computed or self._facts(row, question) is not None


_COMPUTED: dict[str, Callable[[Routing, Any, _Question], Facts | None]] = {
    "R1": Routing._danger,
    "E4": Routing._under_elderly,
    "W6": Routing._elderly_elsewhere,
    "W7": Routing._other_room,
    "W8": Routing._without_order,
    "W9": Routing._already_there,
    "P1": Routing._cough,
    "K1": Routing._other_cluster,
    "L1": Routing._outside,
}


def load() -> Routing:
    """The clinic's rooms, rules, lexicon and age limits: one query a transaction, unchanged."""
    session = db.session()
    at, read = session.info.get("routing", (None, None))
    if read is None or at is not session.get_transaction():
        read = _current(settings.values())
        session.info["routing"] = (session.get_transaction(), read)
    return read


def _current(values: dict[str, Any]) -> Routing:
    about = [values[key] for key in ("epoch", "elderly_from_years", "kb_cluster")]
    valid = (*about, *run(REVISION).one())
    known = _loaded.get("routing")
    if known is None or known[0] != valid:
        known = _loaded["routing"] = (valid, _read(values))
    return known[1]


def forget() -> None:
    """Read everything anew; for a database that was put back behind our back."""
    _loaded.clear()


def _read(values: dict[str, Any]) -> Routing:
    # Plain rows, not objects: the next transaction() would expire those.
    polis = select(Poli.__table__).order_by(Poli.position, Poli.id)
    rules = select(RoutingRule.__table__).order_by(RoutingRule.position, RoutingRule.id)
    terms = select(ComplaintTerm.__table__).where(ComplaintTerm.is_active)
    return Routing(
        polis={row.code: row for row in db.session.execute(polis)},
        rules=tuple(db.session.execute(rules)),
        terms=tuple(db.session.execute(terms)),
        elderly_months=values["elderly_from_years"] * 12,
        kb_cluster=str(values["kb_cluster"]),
    )


# Every insert and every change raises these sums, and nothing is ever deleted.
_WATCHED = (Poli, RoutingRule, ComplaintTerm)
REVISION = select(*(select(func.sum(table.revision)).scalar_subquery() for table in _WATCHED))
_loaded: dict[str, tuple[tuple, Routing]] = {}
