"""Two numbers of sixteen digits beside each other, masked so that a slip of the hand is seen."""

from formatting import mask_nik

MIDDLE = range(6, 12)  # the birth date within a NIK, hidden by its mask
SLIP = 2  # more other digits than a slip of the hand make it another number altogether


def both_masked(kept: str, said: str) -> tuple[str, str]:
    """Both masked, but for hidden digits that differ by a slip of the hand."""
    one, two = ("".join(char for char in text if char.isalnum()) for text in (kept, said))
    masks = [mask_nik(text) if text else "" for text in (one, two)]
    if len(one) == len(two) == 16:
        other = {place for place in MIDDLE if one[place] != two[place]}
        if len(other) <= SLIP:
            masks = [_open(mask, text, other) for mask, text in zip(masks, (one, two), strict=True)]
    return masks[0], masks[1]


def _open(mask: str, text: str, places: set[int]) -> str:
    return "".join(text[i] if i in places else char for i, char in enumerate(mask))
