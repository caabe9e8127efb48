"""What the story asks beside the set-up: the documents a frontend would send."""

from __future__ import annotations

from typing import Final

DISABLE_BOLT_ON: Final = """mutation ($input: DisableBoltOnInput!) {
  disableBoltOn(input: $input) { boltOn { enabled } userErrors { code message path } }
}"""
CANCEL: Final = """mutation ($input: CancelBookingInput!) {
  cancelBooking(input: $input) {
    booking { status }
    cancellation { refund {
      outcome reason { code message } customerBundle { id balance bundle { name } }
    } }
    userErrors { code message path }
  }
}"""
PREVIEW: Final = """query ($booking: ID!) {
  cancellationPreview(booking: $booking) {
    outcome reason { code message } deadline bundle { name } userErrors { code }
  }
}"""
BOOK: Final = """mutation ($input: BookSessionInput!) {
  bookSession(input: $input) {
    booking { status way session { course { title } } customerBundle { balance } }
    userErrors {
      code message path
      ... on PaymentOptionNotAllowedError { allowed }
      ... on BoltOnDisabledError { boltOn }
    }
  }
}"""
OPTIONS: Final = """query ($session: ID!) {
  bookingOptions(session: $session) {
    way price { amountMinor currency }
    paymentOptions { method customerBundle { id } userErrors { code message } }
  }
}"""
OFFER: Final = """query ($session: ID!) {
  session(id: $session) { dropIn { price { amountMinor currency } paymentMethods isOpen } }
}"""
SWAP: Final = """mutation ($input: SwapBookingInput!) {
  swapBooking(input: $input) {
    cancellation { refund { outcome } }
    booking { status session { course { title } } customerBundle { balance } }
    userErrors { code message path }
  }
}"""
PLACES: Final = """{
  me { bookings { edges { node { id status way session { id } } } } }
}"""
CREDITS: Final = """{
  me { bundles { edges { node { balance bundle { name tags { name } } } } } }
}"""
LEDGER: Final = """{
  me { bundles { edges { node {
    balance entries { edges { node { kind amount by correlationId } } }
  } } } }
}"""
CATALOGUE: Final = """{
  courses { edges { node {
    title price { amountMinor } sessions { edges { node { seatsLeft dropIn { isOpen } } } }
  } } }
}"""
