"""What a room's page shows: its rows, their waiting time and its colour; no queries here."""

from dataclasses import dataclass, field
from datetime import date, datetime

from clinic.lab_alerts import Alert
from clinic.pharmacy_alerts import NEAR_GOAL, PLAIN_GOAL, Due
from clinic.queue_steps import NOT_YET_SERVED
from models import DatePrecision, EntryKind, EntryState, TriagePriority

COMPLAINT_LENGTH = 48


@dataclass(slots=True)
class QueueRow:
    """One entry as its row shows it."""

    ref: str
    visit_ref: str
    label: str
    state: EntryState
    kind: EntryKind
    rank: int
    is_priority: bool
    place: int
    seq: int
    calls: int
    reason: str
    queued_at: datetime
    called_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    name: str
    birth_order: int | None
    sex: str
    birth_date: date | None
    birth_precision: DatePrecision
    age_days: int | None
    complaint: str
    priority: str
    pregnant: str
    same_name: int | None  # how many people of this name are here today, if more than one
    has_cough: bool
    has_red_flag: bool
    has_allergy: bool
    has_alert: bool
    has_vital_signs: bool
    triage: TriagePriority | None  # what the screening desk proposes
    from_room: str | None
    to_room: str | None
    now_in: str | None  # another room that calls or serves the patient now
    lab_tests: int  # still to be done for the visit
    ending_step: int | None  # of those who went on: the id that "Urungkan" names
    minutes: int = 0
    seconds: int = 0  # those beyond the minutes, from which the page's script counts on
    band: str = "ok"
    due: Due | None = None  # the pharmacy's: which prescription to give first

    @property
    def is_estimated(self) -> bool:
        return self.birth_precision is not DatePrecision.DAY

    @property
    def is_waited_for(self) -> bool:
        """Whether the patient waits now: outside this room's door, or for a medicine."""
        return self.due is not None or self.state in NOT_YET_SERVED

    @property
    def waits_from(self) -> datetime:
        return self.due.sent_at if self.due else self.queued_at


@dataclass
class RoomQueue:
    """A room's day, parted by state, each part in the order in which it is read."""

    version: str
    on: date | None
    now: datetime
    zone: str
    warn_minutes: int
    late_minutes: int
    closed_at: datetime | None = None  # of today, when it was closed already
    left: int = 0  # this room's patients whom that cut off
    waiting: list[QueueRow] = field(default_factory=list)
    called: list[QueueRow] = field(default_factory=list)
    in_service: list[QueueRow] = field(default_factory=list)
    awaiting: list[QueueRow] = field(default_factory=list)
    skipped: list[QueueRow] = field(default_factory=list)
    done: list[QueueRow] = field(default_factory=list)  # also moved, cancelled and left
    alerts: list[Alert] = field(default_factory=list)  # results that nobody has read
    # Rooms of the same staff, and what to say of them.
    alerts_elsewhere: list[tuple[str, str]] = field(default_factory=list)
    to_validate: int = 0  # the laboratory's
    unqueued: int = 0  # the pharmacy's: prescriptions whose patient stands nowhere
    goals: dict[str, Due] = field(default_factory=dict)  # the pharmacy's, by visit

    def use_goals(self, goals: dict[str, Due]) -> None:
        """In the pharmacy a patient waits since "Selesai", and for its own goals."""
        self.goals = goals
        self.warn_minutes, self.late_minutes = PLAIN_GOAL - NEAR_GOAL, PLAIN_GOAL

    def timed(self, row: QueueRow) -> QueueRow:
        """The row with its minutes and their band; its complaint shortened."""
        row.due = self.goals.get(row.visit_ref)
        waited = max(0, int((self.now - row.waits_from).total_seconds()))
        row.minutes, row.seconds = divmod(waited, 60)
        more = row.due.goal - PLAIN_GOAL if row.due else 0
        if row.minutes >= self.late_minutes + more:
            row.band = "late"
        elif row.minutes >= self.warn_minutes + more:
            row.band = "warn"
        if len(row.complaint) > COMPLAINT_LENGTH:
            row.complaint = row.complaint[: COMPLAINT_LENGTH - 1].rstrip() + "…"
        return row

    @property
    def parts(self) -> list[tuple[str, list[QueueRow]]]:
        """What is still going on, in the order of the page."""
        return [
            ("Dipanggil", self.called),
            ("Dilayani", self.in_service),
            ("Menunggu", self.waiting),
            ("Dilewati", self.skipped),
            ("Menunggu hasil", self.awaiting),
        ]
