"""The steps of a queue entry: which are legal, and what is said when one is not."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from clinic import settings
from clinic.audit import Actor
from db import db
from formatting import clock_time
from models import EntryState, QueueEntry, QueueEvent, User

WAITING, CALLED, IN_SERVICE = EntryState.WAITING, EntryState.CALLED, EntryState.IN_SERVICE
AWAITING, SKIPPED, DONE = EntryState.AWAITING_RESULT, EntryState.SKIPPED, EntryState.DONE

NOT_YET_SERVED = (WAITING, CALLED, SKIPPED)
# Ended without "Selesai", which would have asked about what is open.
GIVEN_UP = (EntryState.MOVED, EntryState.CANCELLED, EntryState.LEFT)
TAKEN_IN = (CALLED, IN_SERVICE)  # the patient is on the way into the room, or inside


class QueueError(Exception):
    """A step that can't be taken; the text is a sentence for the staff."""


class OwnStep(QueueError):
    """The step is taken already, by the very person who asks for it: a press sent twice."""


class ServedMeanwhile(QueueError):
    """Somebody began to serve the patient since the page was shown."""


@dataclass(frozen=True)
class Step:
    """From which states a step leads to which; what it is called in a sentence and in the audit."""

    sources: tuple[EntryState, ...]
    target: EntryState
    word: str
    audit: str
    needs_reason: bool = False
    is_button: bool = True


STEPS: dict[str, Step] = {
    "panggil": Step((WAITING, CALLED, SKIPPED), CALLED, "dipanggil", "call"),
    "lewati": Step((CALLED,), SKIPPED, "dilewati", "skip"),
    "kembali": Step((SKIPPED,), WAITING, "dikembalikan ke antrean", "put_back"),
    # The way out for whoever waits in vain: a new stay here, the other room keeps its own.
    "jemput": Step((AWAITING,), DONE, "diambil kembali", "fetch_back"),
    "mulai": Step((WAITING, CALLED), IN_SERVICE, "mulai dilayani", "start"),
    "selesai": Step((IN_SERVICE, AWAITING), DONE, "diselesaikan", "finish"),
    "pindah": Step(
        (WAITING, CALLED, IN_SERVICE, SKIPPED), EntryState.MOVED, "dipindahkan", "move", True
    ),
    "batal": Step(
        (WAITING, CALLED, IN_SERVICE, SKIPPED), EntryState.CANCELLED, "dibatalkan", "cancel", True
    ),
    "pulang": Step((WAITING, CALLED, SKIPPED), EntryState.LEFT, "dicatat pulang", "leave", True),
    # Taken by the examination and by other rooms, never by a button of the queue. What the end of
    # the day cut off may be completed afterwards.
    "periksa": Step(
        (WAITING, CALLED, IN_SERVICE, EntryState.UNFINISHED),
        DONE,
        "selesai diperiksa",
        "finish",
        is_button=False,
    ),
    "rujuk": Step((WAITING, CALLED, IN_SERVICE), AWAITING, "dirujuk", "refer", is_button=False),
    "hasil": Step((AWAITING,), DONE, "hasilnya kembali", "result_back", is_button=False),
    "kertas": Step((WAITING,), DONE, "dilayani di kertas", "finish", is_button=False),
}

OTHER_WORDS = {
    "masuk": "masuk antrean",
    "urungkan": "langkah terakhir diurungkan",
    "tutup": "hari layanan ditutup",
}
STATE_WORDS = {
    WAITING: "menunggu",
    CALLED: "dipanggil",
    IN_SERVICE: "dilayani",
    AWAITING: "menunggu hasil",
    SKIPPED: "dilewati",
    EntryState.UNFINISHED: "belum selesai dicatat",
}
PRESENT = {
    WAITING: "Pasien {label} masih menunggu di {room}",
    CALLED: "Pasien {label} sudah dipanggil{by}{at}",
    IN_SERVICE: "Pasien {label} sedang dilayani di {room}, dimulai{by}{at}",
    AWAITING: "Pasien {label} sedang menunggu hasil dari ruang lain{at_since}",
    DONE: "Pelayanan {label} di {room} sudah selesai{by}{at}",
    SKIPPED: "Pasien {label} sudah dilewati{by}{at}",
    EntryState.MOVED: "Pasien {label} sudah dipindahkan dari {room}{by}{at}",
    EntryState.CANCELLED: "Antrean {label} di {room} sudah dibatalkan{by}{at}",
    EntryState.LEFT: "Pasien {label} sudah dicatat pulang{by}{at}",
    EntryState.UNFINISHED: "Antrean {label} di {room} tidak selesai pada hari layanannya",
}


def check(entry: QueueEntry, action: str) -> None:
    """Raise QueueError when the entry's state does not allow the step."""
    if entry.state not in STEPS[action].sources:
        raise QueueError(refusal(entry, action))


def is_cut_off(entry: QueueEntry) -> bool:
    """Whether the day ended while this patient was served: the record may still be completed."""
    return entry.state is EntryState.UNFINISHED and entry.started_at is not None


def last_event(entry: QueueEntry) -> QueueEvent | None:
    """The newest step of this entry that was not undone."""
    return db.session.scalar(
        select(QueueEvent)
        .where(
            QueueEvent.entry_id == entry.id,
            QueueEvent.undone_at.is_(None),
            QueueEvent.action != "urungkan",
        )
        .order_by(QueueEvent.id.desc())
        .limit(1)
    )


def possible(entry: QueueEntry) -> list[str]:
    """The buttons that make sense now, undo apart."""
    return [
        action for action, step in STEPS.items() if step.is_button and entry.state in step.sources
    ]


@dataclass(frozen=True)
class PastStep:
    at: datetime
    text: str
    author: str
    reason: str
    is_undone: bool


def past_steps(entry: QueueEntry) -> list[PastStep]:
    """What happened to this entry, oldest first."""
    events = (
        select(QueueEvent, User.display_name)
        .outerjoin(User, User.id == QueueEvent.user_id)
        .where(QueueEvent.entry_id == entry.id)
        .order_by(QueueEvent.id)
    )
    words = {action: step.word for action, step in STEPS.items()} | OTHER_WORDS
    return [
        PastStep(event.at, words[event.action], name or "", event.reason, bool(event.undone_at))
        for event, name in db.session.execute(events)
    ]


def newest_event(entry: QueueEntry) -> QueueEvent | None:
    """The newest step of this entry, an undo included; None when it only stands there."""
    newest = (
        select(QueueEvent)
        .where(QueueEvent.entry_id == entry.id, QueueEvent.action != "masuk")
        .order_by(QueueEvent.id.desc())
    )
    return db.session.scalar(newest.limit(1))


def present(entry: QueueEntry) -> str:
    """How the entry stands, who brought it there and when: a sentence without its full stop."""
    event = last_event(entry)
    by, clock = author_and_clock(event) if event else ("", "")
    return PRESENT[entry.state].format(
        label=entry.visit.label,
        room=entry.poli.name,
        by=by,
        at=f" pukul {clock}" if clock else "",
        at_since=f" sejak pukul {clock}" if clock else "",
    )


def refuse_unseen(actor: Actor, entry: QueueEntry, action: str, seen: str) -> None:
    """Raise QueueError when a colleague did meanwhile what whoever pressed could not know.

    `seen` is the state that the button or page showed; '' when it said nothing.
    """
    if not seen or seen == entry.state.value:
        return
    if action == "panggil" and entry.state is CALLED:
        sentence = f"{present(entry)}. Bila perlu dipanggil sekali lagi, tekan Panggil lagi."
        raise OwnStep(sentence) if _is_own(actor.user_id, entry) else QueueError(sentence)
    if STEPS[action].needs_reason and (served := served_by_another(actor.user_id, entry)):
        raise ServedMeanwhile(f"{served}.")


def served_by_another(user_id: int | None, entry: QueueEntry) -> str:
    """How the entry stands when somebody else serves the patient now, else ''."""
    is_served = entry.state is IN_SERVICE and not _is_own(user_id, entry)
    return present(entry) if is_served else ""


def elsewhere(entry: QueueEntry) -> str:
    """Where another room calls or serves the patient now, as a sentence; '' when none does."""
    others = select(QueueEntry).where(
        QueueEntry.visit_id == entry.visit_id,
        QueueEntry.id != entry.id,
        QueueEntry.state.in_(TAKEN_IN),
    )
    other = db.session.scalar(others.order_by(QueueEntry.id.desc()).limit(1))
    if other is None:
        return ""
    event = last_event(other)
    by, clock = author_and_clock(event) if event else ("", "")
    word = "sedang dilayani di" if other.state is IN_SERVICE else "sudah dipanggil ke"
    return f"Pasien ini {word} {other.poli.name}{by}{f' pukul {clock}' if clock else ''}."


def _is_own(user_id: int | None, entry: QueueEntry) -> bool:
    event = last_event(entry)
    return event is not None and event.user_id == user_id


def author_and_clock(event: QueueEvent) -> tuple[str, str]:
    """Who took the step, " oleh ..." or '' when nobody did, and at what o'clock."""
    user = db.session.get(User, event.user_id) if event.user_id else None
    by = f" oleh {user.display_name}" if user else ""
    return by, clock_time(event.at, settings.value("time_zone"))


def refusal(entry: QueueEntry, action: str) -> str:
    """Why the step is impossible: the present state first, then what the step needs."""
    step = STEPS[action]
    words = [STATE_WORDS[state] for state in step.sources]
    needed = f"{', '.join(words[:-1])} atau {words[-1]}" if len(words) > 1 else words[0]
    return f"{present(entry)}. Yang dapat {step.word} hanya pasien yang sedang {needed}."
