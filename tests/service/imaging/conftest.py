from __future__ import annotations

from service.imaging.jpeg_native import is_available

collect_ignore = [] if is_available() else ["test_jpeg_native.py", "test_jpeg_progressive.py"]
"""Where there was no Rust compiler there is nothing native to test; all else must hold as well."""
