"""Every table, in the order of the patient's walk; the whole house imports them from here.

Reference    Poli, RoutingRule, ComplaintTerm, Icd10Term, ActionTerm, Village, Setting
People       Practitioner, User, UserPoli, LoginSession, Household, Patient, PatientVersion,
             PatientAlias, PatientToken
Identity     SuspectedPair, PatientMerge, ImportBatch, ImportRow
Visits       ServiceDay, Counter, RegistrationDraft, Visit, Override, VisitCorrection,
             QueueState, QueueEntry, QueueEvent, SlipBlock, Slip
Records      Examination, Addendum, VitalSigns, Diagnosis, Procedure, Allergy, Consent,
             RecordAccess, Amendment, AmendmentLine, Paper
Room forms   ExaminationAnswer, Immunization, TriageNote
Laboratory   LabTest, LabReference, LabOrder, LabOrderTest, LabResult
Medicines    Medicine, Prescription, PrescriptionLine, PrescriptionComponent, PrescriptionWarning
Pharmacy     StockBatch, StockMove, PrescriptionReview, DispensedLine, Dispensing
Reports      ReportLock, LockedReport, DayRecap, PcareMark
Unsaved      UnsavedText, KeptAnswer (working storage, not the record)
Operations   ClosingStep, AuditEntry, OutboxEntry, WorkerBeat, SelfCheck, InternetSpan
Backups      Backup, BackupCopy, Drill

No queries, no texts, no serialisers here. Instants (`*_at`) are UTC, days (`*_on`) are the
clinic's. A row that may leave the house has a `public_id`; nothing is ever deleted.
"""

from tables.actions import ActionTerm, Procedure
from tables.amendments import Amendment, AmendmentLine, AmendmentState
from tables.backups import (
    Backup,
    BackupCopy,
    BackupKind,
    BackupState,
    CopyState,
    Drill,
    DrillKind,
)
from tables.care import InternetSpan, SelfCheck
from tables.closing import ClosingStep, StepName, StepState
from tables.consents import Consent, ConsentDecision, Signer
from tables.dispensing import DispensedLine, Dispensing, PrescriptionReview
from tables.identity import (
    ImportBatch,
    ImportRow,
    ImportState,
    PairSource,
    PairState,
    PatientMerge,
    RowFate,
    SuspectedPair,
)
from tables.laboratory import (
    LabFlag,
    LabKind,
    LabOrder,
    LabOrderState,
    LabOrderTest,
    LabReference,
    LabResult,
    LabTest,
)
from tables.medicines import MILLILITRE, UNITS, Medicine, Route
from tables.operations import AuditEntry, OutboxEntry, OutboxState, WorkerBeat
from tables.papers import Paper, PaperKind, PaperState
from tables.people import (
    AliasKind,
    DatePrecision,
    Household,
    LoginSession,
    NoNikReason,
    Patient,
    PatientAlias,
    PatientToken,
    PatientVersion,
    Practitioner,
    Role,
    User,
    UserPoli,
)
from tables.prescriptions import (
    Prescription,
    PrescriptionComponent,
    PrescriptionLine,
    PrescriptionState,
    PrescriptionWarning,
)
from tables.queues import EntryKind, EntryState, QueueEntry, QueueEvent, QueueState
from tables.records import (
    Addendum,
    Allergy,
    CaseType,
    Death,
    Diagnosis,
    Disposition,
    Examination,
    RecordAccess,
    VitalSigns,
)
from tables.reference import (
    ComplaintTerm,
    Counted,
    Icd10Term,
    Level,
    Poli,
    PoliKind,
    RoutingRule,
    Setting,
    Village,
)
from tables.reports import DayRecap, LockedReport, PcareMark, ReportLock
from tables.room_forms import ExaminationAnswer, Immunization, TriageNote, TriagePriority
from tables.slips import Slip, SlipBlock
from tables.stock import StockBatch, StockMove, StockMoveKind
from tables.unsaved import KeptAnswer, UnsavedText
from tables.visits import (
    Counter,
    DraftKind,
    Override,
    Priority,
    RegistrationDraft,
    ServiceDay,
    Source,
    Visit,
    VisitCorrection,
    VisitStatus,
)
