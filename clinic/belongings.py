"""What belongs to a person: the one list that a merge moves by, and its undo.

A new table with a key to Patient must stand in one of the two; a test compares them with the
tables.
"""

from models import (
    Allergy,
    ImportRow,
    Patient,
    PatientAlias,
    PatientMerge,
    PatientToken,
    PatientVersion,
    SuspectedPair,
    Visit,
)

# Goes to the survivor by `patient_id`; `original_patient_id` says whose it was at first.
MOVES = (Visit, Allergy, PatientAlias)
# Tells the history of one record, or is rebuilt from it.
STAYS = (Patient, PatientVersion, PatientToken, SuspectedPair, PatientMerge, ImportRow)
