"""What can go wrong, said once; `api` maps each to a status and each adapter raises only these."""

from __future__ import annotations


class MetercropError(Exception):
    """`code` is stable and for programs, the message is for people: what, to what, what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class PhotoRejected(MetercropError):
    """The photo itself is the reason; sending it again will not help. Codes `photo.*`."""


class RequestRejected(MetercropError):
    """The request is the reason. Codes `request.*`, `field.*`, `idempotency.*`, `job.*`."""


class NotFound(MetercropError):
    """No such thing, or no longer. Codes `photo.not_found`, `job.not_found`, `original.gone`..."""


class ObjectRejected(MetercropError):
    """An object of an archive is the reason; it fails alone, and others go on.

    Codes `object.gone`, `object.changed`, `object.access_denied`, `object.exists`,
    `object.unreadable`, `object.unaddressable`.
    """


class Unavailable(MetercropError):
    """A part outside this process does not answer, or there is no room; retrying is safe.

    Codes `store.unavailable`, `database.unavailable`, `model.unavailable`, `codec.unavailable`,
    `service.busy`.
    """

    def __init__(self, code: str, message: str, *, retry_after_s: int = 5) -> None:
        super().__init__(code, message)
        self.retry_after_s = retry_after_s


class Misconfigured(MetercropError):
    """The service must not start like this. Codes `settings.*`, `model.*`, `device.*`."""
