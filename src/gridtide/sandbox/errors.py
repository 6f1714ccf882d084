"""What the exchange answers when it refuses: code, text, HTTP status. One place knows which status a code has.

Texts are the exchange's own (protocol document, sections 3.3 and 12), because client libraries decide by them.
"""

from __future__ import annotations

from gridtide.domain.errors import GridtideError

_STATUS_BY_CODE = {
    -1000: 500,
    -1001: 500,
    -1002: 401,
    -1003: 429,
    -1006: 500,
    -1007: 504,
    -1008: 503,
    -1015: 429,
    -2014: 401,
    -2015: 401,
    -2021: 409,
    -5000: 404,
}


class ApiError(GridtideError):
    """A refusal as it goes over the wire. `retry_at` is the epoch ms from which asking again makes sense.

    `data` goes with it where only part of what was asked failed.
    """

    def __init__(
        self,
        code: int,
        message: str,
        *,
        status: int | None = None,
        retry_at: int | None = None,
        data: dict[str, object] | None = None,
    ) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message
        self.status = status if status is not None else _STATUS_BY_CODE.get(code, 400)
        self.retry_at = retry_at
        self.data = data

    @property
    def body(self) -> dict[str, object]:
        body: dict[str, object] = {"code": self.code, "msg": self.message}
        return body if self.data is None else {**body, "data": self.data}


def unknown_error() -> ApiError:
    return ApiError(-1000, "An unknown error occurred while processing the request.")


def unknown_path(method: str, path: str) -> ApiError:
    return ApiError(-5000, f"Path {path}, Method {method} is invalid")


def mandatory(name: str) -> ApiError:
    return ApiError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def one_of(first: str, second: str) -> ApiError:
    return ApiError(-1102, f"Param '{first}' or '{second}' must be sent, but both were empty/null!")


def illegal_characters(name: str, legal: str) -> ApiError:
    return ApiError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")


def invalid_data(name: str) -> ApiError:
    return ApiError(-1130, f"Data sent for parameter '{name}' is not valid.")


def bad_combination() -> ApiError:
    return ApiError(-1128, "Combination of optional parameters invalid.")


def not_supported(what: str) -> ApiError:
    """For what the real exchange has and this sandbox does not: said clearly, with a code clients know."""
    return ApiError(-1020, f"This operation is not supported by this sandbox: it does not know {what}.")
