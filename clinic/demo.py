"""The demo clinic: invented people, the same every time (fixed seed)."""

from sqlalchemy import select

from clinic import (
    accounts,
    audit,
    days,
    demo_amendments,
    demo_consents,
    demo_pairs,
    demo_papers,
    demo_stock,
    demo_today,
    patients,
    reference,
    settings,
)
from clinic.demo_desks import actor, staff
from clinic.demo_history import History
from clinic.demo_people import people
from db import db, utcnow
from models import Practitioner, Role, ServiceDay, Visit

# username, name, role, rooms, profession
STAFF = [
    ("loket", "Rina Wulandari", Role.REGISTRATION, "", ""),
    ("umum", "dr. Bagus Prasetyo", Role.POLI, "UMUM LANSIA TB UGD GIZI", "Dokter"),
    ("gigi", "drg. Maya Kusuma", Role.POLI, "GIGI", "Dokter gigi"),
    ("kia", "Bdn. Nurhayati", Role.POLI, "KIA KB IMUN MTBS", "Bidan"),
    ("lab", "Yusuf Hidayat", Role.POLI, "LAB", "Analis laboratorium"),
    ("farmasi", "apt. Dewi Anggraini", Role.POLI, "FARMASI", "Apoteker"),
    ("rekammedis", "Sari Puspita", Role.RECORDS, "", ""),
    ("kepala", "dr. Indah Lestari", Role.HEAD, "", ""),
    ("ti", "Hendra Gunawan", Role.OPERATOR, "", ""),
]


def create_staff(password_hash: str) -> None:
    """The demo accounts, all with the same passphrase; marks the database as a demo."""
    settings.set_value("is_demo", True)
    settings.set_value("clinic_name", "Puskesmas Tirta Alur")
    settings.set_value("clinic_address", "Jalan Melati 1, Kecamatan Tirta Alur")
    settings.set_value("clinic_office", "Dinas Kesehatan Kota Tirta")
    settings.set_value("clinic_phone", "(0541) 555 0101")
    settings.set_value("clinic_city", "Tirta Alur")
    settings.set_value("clinic_code", "PTA")
    for place, (username, name, role, rooms, profession) in enumerate(STAFF):
        practitioner = None
        if profession:
            licence = f"SIP 446/{place:03}/PTA/2025"
            practitioner = Practitioner(name=name, profession=profession, licence_no=licence)
            db.session.add(practitioner)
            db.session.flush()
        accounts.create_user(
            audit.SYSTEM,
            username=username,
            display_name=name,
            password_hash=password_hash,
            role=role,
            rooms=rooms.split(),
            practitioner_id=practitioner.id if practitioner else None,
        )


def fill() -> None:
    """Patients, two years of visits and a living today, all in the caller's one transaction.

    A first start that is interrupted so leaves an empty database, which the next one fills.
    """
    reference.seed_demo_villages()
    today = days.clinic_date()
    crowd, users = people(today), staff()
    created = patients.create_many(actor(users[""]), [person.identity for person in crowd])
    count = History(crowd, created, users, today).write()
    demo_pairs.write(users[""])
    demo_consents.write(users[""])
    audit.record(audit.SYSTEM, "fill_demo", object_type="visit", details=str(count))
    demo_stock.PastStock(users["FARMASI"], today, utcnow()).write()
    fill_today()
    demo_amendments.write()
    demo_papers.write()


def begin_today() -> int:
    """Today's living queue, unless somebody has begun the day; how many visits were added.

    In the night yesterday's day may be the one that goes on: then its visits keep it as it is.
    """
    day = days.current_day()
    since = day.on if day else days.clinic_date()
    has_begun = select(Visit.id).join(ServiceDay, ServiceDay.id == Visit.service_day_id)
    if db.session.scalar(has_begun.where(ServiceDay.on >= since).limit(1)) is not None:
        return 0
    return fill_today()


def fill_today() -> int:
    """Give today a living queue; how many visits were added.

    A day with ten visits or more is left as it is, so repeating it changes nothing.
    """
    return demo_today.fill(days.open_day())
