"""The clinic's medicines, as they are prescribed, counted and labelled."""

from enum import StrEnum

from sqlalchemy import CheckConstraint, String, TypeDecorator
from sqlalchemy.orm import Mapped, mapped_column

from tables.columns import Row, enum_column
from tables.reference import Counted

MILLILITRE = "mL"
# Units by the words that people write for them.
UNITS = {
    word: unit
    for unit, words in {
        MILLILITRE: "ml cc",
        "tablet": "tablet tab tb tbl kaplet",
        "kapsul": "kapsul kaps cap caps capsul",
        "tetes": "tetes tts gtt",
        "sachet": "sachet saset",
        "bungkus": "bungkus bks puyer pulv pulveres",
        "semprot": "semprot puff",
        "ampul": "ampul amp",
        "vial": "vial",
        "tube": "tube",
        "botol": "botol btl",
        "strip": "strip",
        "buah": "buah bh",
        "pot": "pot",
        "IU": "iu unit",
        "mg": "mg",
        "mcg": "mcg ug",
        "g": "g gr gram",
    }.items()
    for word in words.split()
}


class Unit(TypeDecorator):
    """A unit in its one spelling, however it is typed or was stored: "ml" is "mL"."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect):
        return value and UNITS.get(value.strip().lower(), value)

    process_result_value = process_bind_param


class Route(StrEnum):
    """*Cara pakai.* What is not taken through the mouth gets the blue label, *obat luar*."""

    ORAL = "oral"
    TOPICAL = "topical"
    EYE = "eye"
    EAR = "ear"
    NOSE = "nose"
    INHALED = "inhaled"
    RECTAL = "rectal"
    VAGINAL = "vaginal"
    INJECTED = "injected"


class Medicine(Counted, Row):
    """*Obat.* One strength and form of the clinic's list; its unit is what stock is counted in."""

    __tablename__ = "medicine"

    code: Mapped[str] = mapped_column(String(24), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    strength: Mapped[str] = mapped_column(String(40), default="")
    form: Mapped[str] = mapped_column(String(30))  # tablet, sirup, salep ...
    unit: Mapped[str] = mapped_column(String(20))  # tablet, botol, tube ...
    # A dose may be counted in another unit: 5 mL of a 60 mL bottle.
    dose_unit: Mapped[str] = mapped_column(Unit(20))
    doses_per_unit: Mapped[int] = mapped_column(default=1)
    route: Mapped[Route] = enum_column(Route, default=Route.ORAL)
    ingredients: Mapped[str] = mapped_column(String(200))  # active ones, folded, parted by |
    families: Mapped[str] = mapped_column(String(200), default="")  # for allergies, parted by |
    # Brand names, English names and short forms that people type or are allergic to.
    synonyms: Mapped[str] = mapped_column(String(200), default="")
    group: Mapped[str] = mapped_column("group_name", String(40), default="")
    kfa_code: Mapped[str] = mapped_column(String(16), default="")
    reorder_level: Mapped[int] = mapped_column(default=0)  # units; at or below it is short
    position: Mapped[int] = mapped_column(default=0)
    is_active: Mapped[bool] = mapped_column(default=True)

    __table_args__ = (
        CheckConstraint("doses_per_unit > 0", name="doses_per_unit"),
        CheckConstraint("ingredients <> ''", name="ingredients"),
        CheckConstraint("reorder_level >= 0", name="reorder_level"),
    )

    @property
    def label(self) -> str:
        """Name, strength and form in one line."""
        return " ".join(filter(None, (self.name, self.strength, self.form)))

    @property
    def ingredient_list(self) -> list[str]:
        return [each for each in self.ingredients.split("|") if each]

    @property
    def family_list(self) -> list[str]:
        return [each for each in self.families.split("|") if each]
