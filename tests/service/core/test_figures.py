import pytest

from service.core.figures import duration, money, printable, share, size


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (96_120, "96.1 kB"), (99_960, "100 kB"),
     (999_499, "999 kB"), (999_500, "1.0 MB"), (1_633_413, "1.6 MB"), (-2_500, "-2.5 kB"),
     (5 * 10**12, "5.0 TB"), (10**19, "10,000 PB")],
)  # fmt: skip
def test_size_has_the_unit_that_fits(count: int, shown: str) -> None:
    assert size(count) == shown


def test_share_is_in_percent() -> None:
    assert share(0.9411) == "94.1%"


@pytest.mark.parametrize(
    ("amount", "shown"), [(1234.5, "1,234.50"), (1, "1.00"), (0.0217, "0.022"), (0, "0")]
)
def test_little_money_keeps_its_digits(amount: float, shown: str) -> None:
    assert money(amount) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0 s"), (59.4, "59 s"), (60, "1 min"), (192, "3 min 12 s"), (3_605, "1 h"),
     (11_520, "3 h 12 min"), (40 * 86_400 + 3_600, "40 d 1 h")],
)  # fmt: skip
def test_duration_is_told_in_its_two_largest_units(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [("Zähler 7", "Zähler 7"), ("a\nb\x1b[0m", "a\\nb\\x1b[0m"), ("\udcff.jpg", "\\udcff.jpg"),
     ("gpj.\u202ejpg", "gpj.\\u202ejpg")],
)  # fmt: skip
def test_text_from_outside_cannot_steer_what_shows_it(text: str, shown: str) -> None:
    assert printable(text) == shown
