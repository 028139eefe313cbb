"""Accessibility as axe-core sees it (https://github.com/dequelabs/axe-core)."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

SCRIPT = Path(__file__).parent / "vendor" / "axe.min.js"
WEIGHTY = ("serious", "critical")
RUN = """async () => {
  const hold = (event) => event.preventDefault();
  document.addEventListener("htmx:beforeSwap", hold);
  try {
    return await axe.run(document, {resultTypes: ["violations"]});
  } finally {
    document.removeEventListener("htmx:beforeSwap", hold);
  }
}"""
"""Live parts stay as they are meanwhile: of what is replaced, labels and roles get lost."""


def serious_findings(page: Page) -> list[str]:
    """One line each: the rule, and the element that breaks it."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(SCRIPT.read_text("utf-8"))
    result = page.evaluate(RUN)
    return [
        f"{finding['id']}: {node['html'][:160]}"
        for finding in result["violations"]
        if finding["impact"] in WEIGHTY
        for node in finding["nodes"]
    ]
