"""What every refusal of the API looks like."""

from __future__ import annotations

import httpx

MEMBERS = ["type", "title", "status", "detail", "instance", "code"]


def assert_problem(answer: httpx.Response, status: int, code: str, *, names: str = "") -> None:
    """A problem answer with this status and code, whose detail holds `names`."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert list(problem) == MEMBERS
    assert (problem["code"], problem["status"]) == (code, status)
    assert problem["instance"] == answer.request.url.path
    assert names in problem["detail"]
    assert "Traceback" not in answer.text
    if status in (429, 503):
        assert int(answer.headers["Retry-After"]) > 0
