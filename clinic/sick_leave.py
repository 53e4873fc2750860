"""From when to when a sick note may say that somebody is ill; times in days.

No rule of the country sets them: they catch slips of the hand, a wrong year above all.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from clinic.paper_facts import Facts
from clinic.record_errors import RecordError, missing, refuse
from formatting import short_date

LONGEST = 180
LATEST_START = timedelta(days=30)  # from today
USUAL_START = timedelta(days=1)  # from today; later needs a reason


def days(said: Mapping[str, Any]) -> int:
    """How many days the note covers, the first and the last included."""
    return (said["until_on"] - said["from_on"]).days + 1


def check(facts: Facts, said: Mapping[str, Any]) -> None:
    """Raises RecordError at the field for dates that can't be, or that need a reason."""
    _check_dates(said)
    first = said["from_on"]
    if first > facts.today + LATEST_START:
        most = f"Mulai paling lama {LATEST_START.days} hari sesudah hari ini."
        raise RecordError(f"{most} Periksa bulan dan tahunnya.", "from_on")
    if said.get("reason"):
        return
    if days(said) > said["limit"]:
        sentence = f"Lebih dari {said['limit']} hari: tulis alasannya. Alasan tidak dicetak."
        raise RecordError(sentence, "reason")
    if first < facts.summary.on:
        raise RecordError("Mulai sebelum tanggal kunjungan: tulis alasannya.", "reason")
    if first > facts.today + USUAL_START:
        sentence = f"Baru mulai {short_date(first)}: periksa tanggalnya, atau tulis alasannya."
        raise RecordError(sentence, "reason")


def _check_dates(said: Mapping[str, Any]) -> None:
    refuse(
        missing(
            said,
            ("from_on", "Isi tanggal mulai sakit."),
            ("until_on", "Isi sampai tanggal berapa, atau berapa hari."),
        )
    )
    between = days(said)
    if between < 1:
        raise RecordError("Tanggal terakhir lebih awal daripada tanggal mulai.", "until_on")
    if said.get("days") and said["days"] != between:
        dates = f"{short_date(said['from_on'])} sampai {short_date(said['until_on'])}"
        raise RecordError(f"{dates} adalah {between} hari. Betulkan salah satunya.", "days")
    if between > LONGEST:
        raise RecordError(f"Paling lama {LONGEST} hari. Periksa tahunnya.", "until_on")
