import pytest

from service.cli.figures import printable, share, size


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
    ("text", "shown"),
    [("Zähler 7", "Zähler 7"), ("a\nb\x1b[0m", "a\\nb\\x1b[0m"), ("\udcff.jpg", "\\udcff.jpg")],
)
def test_text_from_outside_cannot_steer_the_terminal(text: str, shown: str) -> None:
    assert printable(text) == shown
