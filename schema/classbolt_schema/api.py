"""All that a bolt-on may import from here, besides `classbolt` itself."""

from strawberry import UNSET
from strawberry.types.unset import UnsetType

from classbolt_schema.compose.enums import show_enum
from classbolt_schema.compose.extension import SchemaExtension
from classbolt_schema.compose.info import Info
from classbolt_schema.compose.inputs import InputField, chosen, given_of
from classbolt_schema.compose.mutation import Ask, MutationField, Payload, mutation
from classbolt_schema.compose.once import Keyed, found_again
from classbolt_schema.ids import decode, encode
from classbolt_schema.mutations.scheduling import (
    CreateCourseInput,
    NewSessionInput,
    UpdateCourseInput,
    UpdateSessionInput,
    UpdateSessionsInput,
)
from classbolt_schema.pagination import After, Connection, Edge, First, PageInfo, page
from classbolt_schema.scalars import Money
from classbolt_schema.types.booking import Booking, Cancellation, CourseBooking
from classbolt_schema.types.bundle import Bundle, CustomerBundle
from classbolt_schema.types.course import Course, Session, Tag
from classbolt_schema.types.customer import Customer
from classbolt_schema.types.pay_with import PaySource, PayWithInput
from classbolt_schema.types.time import Period, PeriodInput
from classbolt_schema.user_errors import UserError, to_user_error

__all__ = [
    "UNSET",
    "After",
    "Ask",
    "Booking",
    "Bundle",
    "Cancellation",
    "Connection",
    "Course",
    "CourseBooking",
    "CreateCourseInput",
    "Customer",
    "CustomerBundle",
    "Edge",
    "First",
    "Info",
    "InputField",
    "Keyed",
    "Money",
    "MutationField",
    "NewSessionInput",
    "PageInfo",
    "PaySource",
    "PayWithInput",
    "Payload",
    "Period",
    "PeriodInput",
    "SchemaExtension",
    "Session",
    "Tag",
    "UnsetType",
    "UpdateCourseInput",
    "UpdateSessionInput",
    "UpdateSessionsInput",
    "UserError",
    "chosen",
    "decode",
    "encode",
    "found_again",
    "given_of",
    "mutation",
    "page",
    "show_enum",
    "to_user_error",
]
