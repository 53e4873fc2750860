"""The page that stands in place of all others while the server's clock is wrong."""

import re
from datetime import UTC, datetime, timedelta
from datetime import time as clock_face
from zoneinfo import ZoneInfo

from flask import Response, make_response, render_template, request
from wtforms import BooleanField, StringField

import timekeeping
from clinic import clock, settings
from kept_forms import typed_fields
from page_form import PageForm
from validators import FieldError, checked_by, parse_date

RETRY_AFTER = "10"  # seconds
_TIME = re.compile(r"([01]?\d|2[0-3])[.:]?([0-5]\d)")


def _parse_time(text: str) -> clock_face:
    found = _TIME.fullmatch(text.strip())
    if not found:
        raise FieldError("TIME", "Tulis jam dan menit, misalnya 07.45.")
    return clock_face(int(found[1]), int(found[2]))


class ClockForm(PageForm):
    """The true date and time, as somebody reads them from a watch."""

    date = StringField("Tanggal", [checked_by(parse_date)])
    time = StringField("Jam", [checked_by(_parse_time)])
    sure = BooleanField("Ya, sudah saya cocokkan dengan jam lain")

    def instant(self, judged: clock.Judgement) -> datetime | None:
        """What was typed; None, and why, when it can't be or is too odd to be believed at once."""
        self.validate()
        if self.errors:
            return None
        if self.date.cleaned is None or self.time.cleaned is None:
            self.form_errors.append("Isi tanggal dan jam menurut jam dinding atau telepon.")
            return None
        if self.date.cleaned <= clock.RELEASED.date():
            self.date.errors = ["Tanggal ini sebelum Alur versi ini dibuat. Periksa tahunnya."]
            return None
        zone = ZoneInfo(settings.value("time_zone"))
        at = datetime.combine(self.date.cleaned, self.time.cleaned, zone).astimezone(UTC)
        is_odd = clock.verdict_of(at, judged.known) is not clock.Verdict.RIGHT
        if is_odd and not self.sure.data:
            self.sure.errors = [
                "Waktu ini tidak cocok dengan catatan terakhir. Cocokkan lagi; bila memang benar, "
                "beri tanda."
            ]
            return None
        return at


def refuse() -> Response:
    """In place of the page that was asked for; what a form had sent is kept."""
    if request.headers.get("HX-Request"):  # the page around it goes on trying
        return Response(status=503, headers={"Retry-After": RETRY_AFTER})
    if request.method == "POST":
        return page(ClockForm(), request.path, typed_fields())
    return page(ClockForm(), request.full_path.rstrip("?"), [])


def page(form: ClockForm, goes_on: str, resend: list[tuple[str, str]]) -> Response:
    """What the server believes, since when, and the form that mends it: 503 while it is wrong."""
    judged = clock.judge()
    is_right = judged.verdict is clock.Verdict.RIGHT
    html = render_template(
        "system/clock.html",
        judged=judged,
        is_right=is_right,
        known=judged.known.expected or judged.known.newest,
        offset=timedelta(seconds=round(timekeeping.offset()) if is_right else 0),
        form=form,
        goes_on=goes_on,
        resend=resend,
    )
    response = make_response(html, (422 if form.errors else 200) if is_right else 503)
    if not is_right:
        response.headers["Retry-After"] = RETRY_AFTER
    return response
