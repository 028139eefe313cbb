"""What the image test asks of the running service, as its users would.

exercise.py ready PORT   waits until /healthz and /readyz say yes
exercise.py photo PORT   uploads a photo with the key in METERCROP_KEY and reads it back
exercise.py probe        prints the health check of the image that `inspect` describes on stdin
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import sys
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException

from PIL import Image, ImageDraw, ImageFilter

START_TIMEOUT_S = 60.0


def main() -> None:
    match sys.argv[1:]:
        case ["ready", port]:
            wait_until_ready(Service(int(port)))
        case ["photo", port]:
            exchange_photo(Service(int(port), key=os.environ["METERCROP_KEY"]))
        case ["probe"]:
            print_probe(json.load(sys.stdin))
        case _:
            sys.exit(__doc__)


@dataclass(frozen=True, slots=True)
class Service:
    """On this machine; http.client, since urllib would ask a proxy where one is set."""

    port: int
    key: str = ""

    def ask(self, method: str, path: str, content: bytes | None = None) -> tuple[int, bytes]:
        """Status and body of the answer."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        if content is not None:
            headers["Content-Type"] = "image/jpeg"
        try:
            connection.request(method, path, content, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def wait_until_ready(service: Service) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    for path in ("/healthz", "/readyz"):
        while (refusal := refused(service, path)) is not None:
            if time.monotonic() > deadline:
                sys.exit(f"{path} did not answer 200 in {START_TIMEOUT_S:.0f} s: {refusal}")
            time.sleep(0.1)


def refused(service: Service, path: str) -> str | None:
    """None once `path` answers 200, else what it says instead."""
    try:
        status, body = service.ask("GET", path)
    except (OSError, HTTPException) as error:
        return repr(error)
    return None if status == 200 else f"{status} {body.decode()}"


def exchange_photo(service: Service) -> None:
    """Uploads one photo twice and reads the stored object back; exits where something differs."""
    photo = meter_photo()
    record = uploaded(service, photo, expected_status=201)
    stored = record["stored"]
    _, content = service.ask("GET", f"/v1/photos/{record['id']}/content")
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        expect("the stored picture's size", image.size, (stored["width"], stored["height"]))
    expect("the original's hash", record["original"]["sha256"], sha256(photo))
    expect("the stored object's hash", sha256(content), stored["sha256"])
    expect("the stored object's size", len(content), stored["bytes"])
    expect("the second answer", uploaded(service, photo, expected_status=200), record)
    say(
        f"uploaded {len(photo)} bytes, stored {len(content)} "
        f"({record['status']}, reason {record['reason']}, exact {stored['exact']}) "
        f"in {record['timings_ms']['total']:.0f} ms, and read them back"
    )


def uploaded(service: Service, photo: bytes, *, expected_status: int) -> dict:
    """The record of the answer."""
    status, body = service.ask("POST", "/v1/photos?meter_id=G-1047", photo)
    if status != expected_status:
        sys.exit(f"the upload answers {status}, not {expected_status}: {body.decode()}")
    return json.loads(body)


def meter_photo() -> bytes:
    """A JPEG of a counter on a grey case: what is tested is the image, not the model."""
    photo = Image.effect_noise((2000, 1500), 24).convert("RGB")
    draw = ImageDraw.Draw(photo)
    draw.rounded_rectangle((500, 300, 1500, 1200), 60, fill=(206, 204, 198))
    draw.rectangle((700, 560, 1300, 690), fill=(18, 18, 20))
    for place, digit in enumerate("0047183"):
        left = 712 + 84 * place
        draw.rectangle((left, 572, left + 70, 678), fill=(36, 36, 40))
        draw.text((left + 12, 560), digit, fill=(240, 240, 236), font_size=96)
    out = io.BytesIO()
    photo.filter(ImageFilter.GaussianBlur(1)).save(out, "JPEG", quality=90)
    return out.getvalue()


def print_probe(images: list[dict]) -> None:
    """The health check's words, each ended by a zero byte."""
    image = images[0]
    check = image.get("Healthcheck") or image["Config"]["Healthcheck"]  # podman, Docker
    kind, *words = check["Test"]
    expect("the health check's form", kind, "CMD")
    sys.stdout.write("".join(word + "\0" for word in words))


def expect(what: str, found: object, wanted: object) -> None:
    if found != wanted:
        sys.exit(f"{what} is {found}, not {wanted}")


def say(words: str) -> None:
    sys.stdout.write(f"image test: {words}\n")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    main()
