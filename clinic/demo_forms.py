"""What the demo clinic's rooms wrote in their own forms: teeth, pregnancies, children, vaccines."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from clinic import form_answers, immunizations
from clinic.audit import Actor
from clinic.demo_bulk import insert_only
from clinic.demo_cases import Case
from clinic.demo_stays import Stay
from clinic.immunizations import Entered
from clinic.pregnancy import TERM_DAYS
from models import EntryKind, ExaminationAnswer, Immunization, User, Visit

Forms = dict[str, dict[str, str]]
_TOOTH = re.compile(r"Gigi ([1-8][1-8]) (karies|goyang|persistensi)")
SITES = {"OPV": "Mulut (tetes)", "RV": "Mulut (tetes)", "BCG": "Lengan kanan atas"}
# The doses of each kind of visit; of `imun2` the first, second and third time.
DOSES = {
    "imun1": ((("BCG", 1), ("OPV", 1)),),
    "imun2": (
        (("DPTHBHIB", 1), ("PCV", 1), ("OPV", 2)),
        (("DPTHBHIB", 2), ("PCV", 2), ("OPV", 3)),
        (("DPTHBHIB", 3), ("IPV", 1), ("OPV", 4)),
    ),
    "imun9": ((("MR", 1), ("IPV", 2)),),
    "imun18": ((("DPTHBHIB", 4), ("MR", 2)),),
}


def answers(
    room: str, case: Case, months: int | None, on: date, due: date | None, children: int
) -> Forms:
    """The forms of one visit with this case; `due` is the day of the birth to come."""
    if room == "GIGI":
        return _dental(case)
    if room == "KIA" and case.tag == "anc" and due:
        return {"hamil": _pregnancy(on, due, children)}
    if room == "MTBS":
        return {"mtbs": _sick_child(case)}
    return {"anak": _child(months)} if room == "IMUN" and months is not None else {}


def _dental(case: Case) -> Forms:
    found = {}
    for tooth, condition in _TOOTH.findall(case.objective):
        found[f"tooth{tooth}"] = condition
        found[f"act{tooth}"] = case.plan.split(".")[0][:80]
    return {"gigi": found} if found else {}


def _pregnancy(on: date, due: date, children: int) -> dict[str, str]:
    lmp = due - timedelta(days=TERM_DAYS)
    weeks = (on - lmp).days // 7
    told = {
        "lmp": lmp.isoformat(),
        "gravida": str(children + 1),
        "para": str(children),
        "abortus": "0",
        "tetanus": f"T{min(children + 1, 5)}",
        "arm_circumference": str(23 + due.day % 6),
    }
    if weeks >= 16:
        told |= {"fetal_heart": str(132 + due.day % 20), "fundal_height": str(weeks - 2)}
    return told | ({"presentation": "kepala"} if weeks >= 32 else {})


def _sick_child(case: Case) -> dict[str, str]:
    codes = " ".join(code for given in case.codes for code in given)
    told = {"danger": "tidak_ada"}
    if "J" in codes:
        told |= {"cough_days": "2"}
    if "A09" in codes:
        told |= {"diarrhoea_days": "2"}
    if "B05" in codes:
        told |= {"fever_days": "3", "fever": "ruam"}
    return told | ({"nutrition": "kurus"} if "E44" in codes else {})


def _child(months: int) -> dict[str, str]:
    grown = 35 + min(months, 6) * 1.3 + max(min(months, 24) - 6, 0) * 0.3
    told = {"head_circumference": f"{grown:.1f}".rstrip("0").rstrip("."), "weight_trend": "naik"}
    return told | ({"breast_only": "ya"} if months <= 6 else {"development": "sesuai"})


def of_today(visit: Visit, room: str, case: Case, months: int | None) -> Forms | None:
    """The forms of a visit of today; a pregnancy goes on as it was told the last time."""
    on, told = visit.service_day.on, form_answers.last_pregnancy(visit)
    lmp = date.fromisoformat(told[0]["lmp"]) if told and "lmp" in told[0] else None
    if lmp is None or (on - lmp).days > TERM_DAYS:
        lmp, told = on - timedelta(days=130 + visit.id % 60), None
    children = int(told[0].get("para", 0)) if told else visit.id % 3
    return answers(room, case, months, on, lmp + timedelta(days=TERM_DAYS), children) or None


def vaccinate(actor: Actor, visit: Visit, case: Case, given_by: str) -> None:
    """Today's doses in the immunisation room: the first of the case's that are not noted yet."""
    known = {
        (each.vaccine, each.dose) for each in immunizations.given(immunizations.of_person(visit))
    }
    fresh = [doses for doses in DOSES.get(case.tag, ()) if not known & set(doses)]
    on = visit.service_day.on
    entered = [
        Entered(vaccine, dose, on, f"{vaccine[:3]}{on:%y%m}", SITES.get(vaccine, "Paha kiri"))
        for vaccine, dose in (fresh[0] if fresh else ())
    ]
    if entered:
        reason = "Imunisasi kejar, jadwal disesuaikan"
        immunizations.add(actor, visit, entered, given_by, reason)


@dataclass
class FormHistory:
    """The forms and vaccines of the past visits that were seen."""

    users: Mapping[str, User]  # by room
    stays: Sequence[Stay]
    visit_ids: Sequence[int]
    examination_ids: Sequence[int]

    def write(self) -> None:
        """Insert answers and immunisations."""
        first = [
            each
            for each in zip(self.stays, self.visit_ids, self.examination_ids, strict=True)
            if each[0].kind is EntryKind.REGISTERED
        ]
        insert_only(
            ExaminationAnswer, [row for stay, _, id_ in first for row in self._rows(stay, id_)]
        )
        came: Counter[tuple[int, str]] = Counter()
        given = []
        for stay, visit_id, _ in first:
            key = (stay.plan.person, stay.plan.case.tag)
            given += self._doses(stay, visit_id, came[key])
            came[key] += 1
        insert_only(Immunization, given)

    def _rows(self, stay: Stay, examination_id: int) -> Iterator[dict]:
        births = sorted(stay.person.births)
        due = next((born for born in births if born > stay.plan.on), None)
        children = sum(born <= stay.plan.on for born in births)
        plan = stay.plan
        forms = answers(stay.room.code, plan.case, stay.months, plan.on, due, children)
        for form, told in forms.items():
            for code, value in told.items():
                yield {
                    "examination_id": examination_id,
                    "form": form,
                    "code": code,
                    "value": value,
                    "recorded_at": stay.ended_at,
                    "recorded_by_id": self.users[stay.room.code].id,
                }

    def _doses(self, stay: Stay, visit_id: int, times: int) -> Iterator[dict]:
        kinds = DOSES.get(stay.plan.case.tag, ())
        user = self.users[stay.room.code]
        for vaccine, dose in kinds[times] if times < len(kinds) else ():
            yield {
                "visit_id": visit_id,
                "vaccine": vaccine,
                "dose": dose,
                "given_on": stay.plan.on,
                "batch": f"{vaccine[:3]}{stay.plan.on:%y%m}",
                "site": SITES.get(vaccine, "Paha kiri"),
                "given_by": user.display_name,
                "recorded_at": stay.ended_at,
                "recorded_by_id": user.id,
            }
