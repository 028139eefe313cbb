"""What a process does before the first photo comes."""

from __future__ import annotations

import pytest

from service.adapters.onnx import OnnxSegmenter
from service.core.crop import CropPolicy
from service.core.encoding import Encoding
from service.usecases.optimize import Optimizer
from service.usecases.rehearsal import rehearse


@pytest.mark.parametrize("encoding", Encoding)
def test_every_codec_of_a_crop_is_used_once(segmenter: OnnxSegmenter, encoding: Encoding) -> None:
    optimizer = Optimizer(segmenter, CropPolicy(), encoding, keep_gps=False, context_px=320)

    natively, by_library = rehearse(optimizer)

    assert natively.crop is not None
    assert natively.context is not None
    assert by_library.content == natively.content
