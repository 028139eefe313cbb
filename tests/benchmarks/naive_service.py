"""The service as anybody would write it in an afternoon: FastAPI's own upload, Pillow, the network.

`python naive_service.py MODEL FOLDER` says its address and serves until it is stopped. It has the
same server under it, the same network, and puts its crops into the same kind of store; it keeps no
records, makes no context pictures, and its crops are encoded anew. Pillow's `resize` is called as
it comes, which looks at every pixel.
"""

from __future__ import annotations

import hashlib
import socket
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import onnxruntime as ort
import uvicorn
from fastapi import FastAPI, UploadFile
from PIL import Image

from service.adapters.folder import FolderStore

THRESHOLD, MARGIN, QUALITY = 0.5, 0.25, 90


class Naive:
    def __init__(self, model: Path, store: FolderStore) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        providers = ["CPUExecutionProvider"]
        self._session = ort.InferenceSession(str(model), options, providers=providers)
        self._side = int(self._session.get_inputs()[0].shape[1])
        self._store = store

    def upload(self, file: UploadFile) -> dict[str, object]:
        """Not `async`, so that FastAPI runs it in a thread."""
        content = file.file.read()
        with Image.open(BytesIO(content)) as image:
            box = self._box(image)
            kept = content if box is None else _encoded(image.crop(box))
        name = hashlib.sha256(content).hexdigest()
        key = f"crops/{name[:2]}/{name[2:4]}/{name}.jpg"
        self._store.put(key, kept, media_type="image/jpeg")
        return {"key": key, "original_bytes": len(content), "stored_bytes": len(kept), "crop": box}

    def _box(self, image: Image.Image) -> tuple[int, int, int, int] | None:
        """Around all that the network sees; None where it sees nothing."""
        scale = self._side / max(image.size)
        size = round(image.width * scale), round(image.height * scale)
        square = Image.new("RGB", (self._side, self._side))
        square.paste(image.resize(size))
        pixels = np.asarray(square)[np.newaxis]
        (found,) = self._session.run(["probabilities"], {"pixels": pixels})
        rows, columns = np.nonzero(found[0] >= THRESHOLD)
        if not len(rows):
            return None
        edges = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]) / scale
        margin = MARGIN * max(edges[2] - edges[0], edges[3] - edges[1])
        left, top = np.maximum(edges[:2] - margin, 0)
        right, bottom = np.minimum(edges[2:] + margin, image.size)
        return int(left), int(top), int(right), int(bottom)


def _encoded(crop: Image.Image) -> bytes:
    file = BytesIO()
    crop.save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


def main(model: str, folder: str) -> None:
    naive = Naive(Path(model), FolderStore(Path(folder)))
    app = FastAPI()
    app.post("/v1/photos", status_code=201)(naive.upload)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sys.stdout.write(f"on http://127.0.0.1:{listener.getsockname()[1]} \n")
        sys.stdout.flush()
        config = uvicorn.Config(app, log_level="warning", access_log=False)
        uvicorn.Server(config).run([listener])


if __name__ == "__main__":
    main(*sys.argv[1:])
