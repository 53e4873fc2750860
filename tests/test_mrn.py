"""Medical record numbers by the clinic's template, and family folders."""

import re
from datetime import date

import pytest
from sqlalchemy import select, text

from clinic import days, households, patients, search, settings
from clinic.audit import SYSTEM
from clinic.mrn_template import TemplateError, parse
from clinic.patients import Identity
from db import db, transaction
from models import AuditEntry, Household, NoNikReason, Village
from tests import factories
from tests.pages import post

KK = "6472011203140007"
OTHER_KK = "6472011203140015"
BY_FAMILY = "{desa:2}{kk:4}{anggota:2}"


def use(template: str) -> None:
    with transaction():
        settings.set_value("mrn_template", settings.parse("mrn_template", template))


def village(name: str, short_code: str | None) -> None:
    with transaction() as session:
        known = session.scalars(select(Village).where(Village.name == name)).one_or_none()
        if known is None:
            known = Village(name=name, folded=name.upper())
            session.add(known)
        known.short_code = short_code


def mrn(name: str = "Ani", **more) -> str:
    return factories.patient(name, nik=None, no_nik_reason=NoNikReason.FORGOT_CARD, **more).mrn


@pytest.mark.parametrize(
    "template",
    [
        "",
        "RM",
        "{desa:2}",
        "{kk:4}",
        "{anggota:2}{kk:4}",
        "{urut:6}{kk:4}{anggota:2}",
        "{urut:6}{urut:2}",
        "{urut:0}",
        "{urut:9}",
        "{urut}",
        "{nik:16}",
        "rm{urut:6}",
        "RM {urut:6}",
        "<b>{urut:6}",
        "PUSKESMAS-MELATI-{urut:8}",
    ],
)
def test_a_template_that_gives_no_number_of_ones_own_is_refused(template):
    with pytest.raises(TemplateError) as problem:
        parse(template)
    assert str(problem.value).endswith(".")


def test_the_usual_number_counts_all_patients(app):
    assert [mrn(), mrn(), mrn()] == ["000001", "000002", "000003"]


def test_literal_text_and_another_width(app):
    use("RM-{urut:4}/{desa:3}")
    village("Melati", "7")
    assert mrn(village="melati") == "RM-0001/007"
    assert mrn(village="Tak Dikenal") == "RM-0002/000"
    assert mrn(village="Desa Melati") == "RM-0003/007"


def test_a_family_shares_its_folder_and_each_has_a_place(app):
    use(BY_FAMILY)
    village("Melati", "02")
    village("Kenanga", "03")
    first = mrn(kk_number=KK, village="Melati")
    second = mrn(kk_number=KK, village="Melati")
    others = mrn(kk_number=OTHER_KK, village="Melati")
    elsewhere = mrn(village="Kenanga")
    alone = mrn(village="Melati")
    assert [first, second, others, elsewhere, alone] == [
        "02000101",
        "02000102",
        "02000201",
        "03000101",
        "02000301",
    ]
    folders = select(Household.kk_number, Household.folder_no)
    assert dict(db.session.execute(folders).tuples().all()) == {KK: "020001", OTHER_KK: "020002"}


def test_a_family_that_was_here_before_the_template_gets_a_folder(app):
    assert mrn(kk_number=KK) == "000001"
    use(BY_FAMILY)
    assert mrn(kk_number=KK) == "00000101"
    assert mrn(kk_number=KK) == "00000102"


def test_a_number_that_another_template_gave_out_is_passed_over(app):
    use("1{urut:1}")
    assert mrn() == "11"
    use("{urut:2}")
    with transaction() as session:
        session.execute(text("UPDATE counter SET value = 10 WHERE name = 'mrn'"))
    assert mrn() == "12"


def test_a_refused_save_gives_the_number_back(app):
    use(BY_FAMILY)
    person = Identity("Ani", "P", no_nik_reason=NoNikReason.FORGOT_CARD, kk_number=KK)
    with pytest.raises(RuntimeError), transaction():
        patients.create(SYSTEM, person)
        raise RuntimeError
    assert mrn(kk_number=KK) == "00000101"


def test_many_at_once_are_numbered_like_one_by_one(app):
    use(BY_FAMILY)
    people = [
        Identity(name, "L", no_nik_reason=NoNikReason.FORGOT_CARD, kk_number=kk)
        for name, kk in [("Adi", KK), ("Budi", None), ("Candra", KK), ("Dani", OTHER_KK)]
    ]
    with transaction():
        created = patients.create_many(SYSTEM, people)
    assert [one.mrn for one in created] == ["00000101", "00000201", "00000102", "00000301"]


def test_a_number_with_letters_is_found(app):
    use("RM-{urut:4}")
    number = mrn("Ani Lestari")
    for typed in (number, "rm-0001"):
        assert [row.patient.mrn for row in search.find(typed)] == [number]


def test_the_head_chooses_the_template_and_the_digits_of_a_village(sign_in):
    head = sign_in("kepala")
    page = head.get("/sistem/pengaturan").get_data(as_text=True)
    assert "Bentuk nomor rekam medis" in page
    fields = {"name": "Melati Baru", "is_in_area": "1", "short_code": "12"}
    assert post(head, "/sistem/wilayah/baru", fields).status_code == 303
    assert post(head, "/sistem/wilayah/baru", fields | {"short_code": "x"}).status_code == 422
    use("{desa:2}-{urut:4}")
    assert mrn(village="Melati Baru") == "12-0001"
    known = db.session.scalars(select(Village).where(Village.name == "Melati Baru")).one()
    place = f"/sistem/wilayah/{known.id}"
    changed = {"version": "1", "is_active": "1", "short_code": "13"}
    assert post(head, place, fields | changed).status_code == 303
    assert mrn(village="Melati Baru") == "13-0002"


# --- The family page --------------------------------------------------------------------------


def family() -> Household:
    mother = factories.patient("Siti Aminah", kk_number=KK, birth_date=date(1985, 5, 14))
    factories.patient("Ani Aminah", kk_number=KK, birth_date=date(2015, 5, 14))
    factories.visit(mother)
    return mother.household


def test_a_family_stands_on_one_page(sign_in):
    household = family()
    page = sign_in("loket").get(f"/keluarga/{household.public_id}").get_data(as_text=True)
    assert page.index("Siti Aminah") < page.index("Ani Aminah")
    assert KK not in page
    assert "/pendaftaran/baru?keluarga=" in page
    assert page.count(">Daftarkan<") == 2


def test_a_family_page_lists_records_of_their_own_the_oldest_first(sign_in):
    undated = factories.patient("Tanpa Tanggal", kk_number=KK, birth_date=None, nik=KK[:-1] + "9")
    household = family()
    others = [factories.patient(name, kk_number=KK) for name in ("Ganda", "Ditarik")]
    with transaction():
        double, withdrawn = map(db.session.merge, others)
        double.merged_into_id, withdrawn.is_active = undated.id, False
    latest = factories.visit(undated)
    page = sign_in("loket").get(f"/keluarga/{household.public_id}").get_data(as_text=True)
    rows = re.findall(r'<td data-label="Nama">.*?</tr>', page, re.S)
    said = [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in rows]
    assert [re.split(r" \d\d-| belum", row)[0] for row in said] == [
        "Siti Aminah",
        "Ani Aminah",
        "Tanpa Tanggal",
    ]
    mother, child, _ = (one.patient for one in households.members(household))
    today = f"{days.clinic_date():%d-%m-%Y}"
    assert "14-05-1985" in said[0] and f" {mother.mrn} " in said[0] and today in said[0]
    assert f" {child.mrn} " in said[1] and "belum pernah" in said[1]
    assert f"keluarga={latest.public_id}" in page, "address and card as they were told last"
    with transaction():
        db.session.merge(household).folder_no = "0042"
    page = sign_in("loket").get(f"/keluarga/{household.public_id}").get_data(as_text=True)
    assert "<small>map 0042</small>" in page, "its place on the shelf"


def test_records_staff_see_a_family_but_do_not_register(sign_in):
    household = family()
    page = sign_in("rekammedis").get(f"/keluarga/{household.public_id}").get_data(as_text=True)
    assert "Ani Aminah" in page and ">Daftarkan<" not in page


@pytest.mark.parametrize("account", ["umum", "ti"])
def test_a_family_is_not_for_everybody(sign_in, account):
    household = family()
    assert sign_in(account).get(f"/keluarga/{household.public_id}").status_code == 403


def test_an_unknown_family_does_not_exist(sign_in):
    assert sign_in("loket").get("/keluarga/tidak-ada").status_code == 404


def test_looking_at_a_family_is_noted_on_each_record(sign_in):
    household = family()
    sign_in("loket").get(f"/keluarga/{household.public_id}")
    seen = select(AuditEntry.patient_ref).where(AuditEntry.object_type == "household")
    assert len(set(db.session.scalars(seen))) == 2
