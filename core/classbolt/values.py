"""Small frozen values that everything else is said in: ids, money, periods, and who asks."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType
from uuid import UUID

from classbolt.errors import Forbidden, Unauthenticated

AccountId = NewType("AccountId", int)
StaffId = NewType("StaffId", UUID)
CustomerId = NewType("CustomerId", UUID)
TagId = NewType("TagId", UUID)
BundleId = NewType("BundleId", UUID)
CourseId = NewType("CourseId", UUID)
SessionId = NewType("SessionId", UUID)
CourseBookingId = NewType("CourseBookingId", UUID)
BookingId = NewType("BookingId", UUID)
CancellationId = NewType("CancellationId", UUID)
CustomerBundleId = NewType("CustomerBundleId", UUID)
PaymentId = NewType("PaymentId", UUID)
PurchaseId = NewType("PurchaseId", UUID)
DisputeId = NewType("DisputeId", UUID)
RefundId = NewType("RefundId", UUID)
JobId = NewType("JobId", UUID)
StripeLinkId = NewType("StripeLinkId", UUID)


def new_id() -> UUID:
    """Make a UUIDv7: 48 bits of milliseconds, 12 bits of their fraction, then 62 random bits.

    Ids made one after the other are in order even within a millisecond, which histories rely
    on. It is the one place that reads the wall clock by itself: no rule looks inside an id.
    Python 3.11 has no `uuid.uuid7`.
    """
    milliseconds, nanoseconds = divmod(time.time_ns(), 1_000_000)
    fraction = nanoseconds * 4096 // 1_000_000
    random = int.from_bytes(os.urandom(8), "big") >> 2
    return UUID(
        int=(milliseconds & 0xFFFF_FFFF_FFFF) << 80
        | 0x7 << 76
        | fraction << 64
        | 0b10 << 62
        | random
    )


LARGEST_AMOUNT = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (pence, cents) of the account's one currency; never negative."""

    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        """Hold an amount to what can be stored."""
        if not 0 <= self.amount_minor <= LARGEST_AMOUNT:
            raise ValueError(f"{self.amount_minor} is no amount of money")


class Unit(StrEnum):
    """Units in which notice, opening times and validity are said (A7)."""

    HOURS = "HOURS"
    DAYS = "DAYS"
    WEEKS = "WEEKS"
    MONTHS = "MONTHS"


@dataclass(frozen=True, slots=True)
class Period:
    """A length of time as people say it: hours elapse, the rest is read off a calendar (A7)."""

    value: int
    unit: Unit

    def __str__(self) -> str:
        """Write it as a person would."""
        unit = self.unit.value.lower()
        return f"{self.value} {unit[:-1] if self.value == 1 else unit}"


class LateJoining(StrEnum):
    """Whether a course that has begun can still be bought, and for how much (G5)."""

    NO = "NO"
    FULL_PRICE = "FULL_PRICE"
    PRO_RATA = "PRO_RATA"


class Role(StrEnum):
    """What a person who runs the account may do.

    Each role may do all that the later ones may.
    """

    OWNER = "OWNER"
    MANAGER = "MANAGER"
    STAFF = "STAFF"


class Permission(StrEnum):
    """What staff can be allowed to do."""

    RUN_ACCOUNT = "RUN_ACCOUNT"
    SWITCH_BOLT_ONS = "SWITCH_BOLT_ONS"
    SET_UP = "SET_UP"
    SERVE_CUSTOMERS = "SERVE_CUSTOMERS"


PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission),
    Role.MANAGER: frozenset({Permission.SET_UP, Permission.SERVE_CUSTOMERS}),
    Role.STAFF: frozenset({Permission.SERVE_CUSTOMERS}),
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks: a customer, a member of staff, the system itself, or nobody we know."""

    customer_id: CustomerId | None = None
    staff_id: StaffId | None = None
    role: Role | None = None
    is_system: bool = False

    @property
    def kind(self) -> str:
        """Name the kind of actor, as history rows record it."""
        if self.is_system:
            return "SYSTEM"
        if self.role is not None:
            return "STAFF"
        return "ANONYMOUS" if self.customer_id is None else "CUSTOMER"

    @property
    def id(self) -> UUID | None:
        """Give the id of the person behind the actor, if there is one."""
        return self.staff_id or self.customer_id

    @property
    def is_staff(self) -> bool:
        """Say whether the actor acts for the business."""
        return self.role is not None or self.is_system

    def may(self, permission: Permission) -> bool:
        """Say whether the actor has a permission."""
        return self.is_system or (
            self.role is not None and permission in PERMISSIONS[self.role]
        )

    def require(self, permission: Permission) -> None:
        """Refuse unless the actor has the permission.

        Raises:
            Unauthenticated: Nobody we know asks.
            Forbidden: The actor is known but may not.
        """
        if self.kind == "ANONYMOUS":
            raise Unauthenticated
        if not self.may(permission):
            raise Forbidden

    def sees(self, customer_id: CustomerId) -> bool:
        """Say whether what belongs to the customer may be shown to the actor."""
        return self.may(Permission.SERVE_CUSTOMERS) or customer_id == self.customer_id


SYSTEM = Actor(is_system=True)
ANONYMOUS = Actor()
