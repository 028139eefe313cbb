"""The real server process, from its start to its end."""

import http.client
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import sleep

import httpx
import pytest

from service import bootstrap
from service.api.keys import AuthRule
from service.settings import read_settings
from tests.painted import painted_photo
from tests.servers.process import port_answers
from tests.service.commands import TIMEOUT_S, Workplace, workplace_in


@dataclass(frozen=True, slots=True)
class Service:
    process: subprocess.Popen[str]
    line: str
    """The first that it printed."""

    @property
    def url(self) -> str:
        found = re.search(r"http://[\d.:]+", self.line)
        assert found is not None, self.line
        return found[0]

    def stop(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Its exit status, and what it wrote to stderr."""
        self.process.send_signal(how)
        _, errors = self.process.communicate(timeout=TIMEOUT_S)
        return self.process.returncode, errors


@contextmanager
def serving(workplace: Workplace, *arguments: str) -> Iterator[Service]:
    process = workplace.start("serve", "--port", "0", *arguments)
    assert process.stdout is not None
    try:
        yield Service(process, process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    return workplace_in(tmp_path, METERCROP_DEVICE="cpu")


def test_service_says_where_it_is_takes_a_photo_and_stops_in_peace(workplace: Workplace) -> None:
    with serving(workplace) as service:
        assert "with colours 1.0.0 on CPUExecutionProvider" in service.line
        assert httpx.get(f"{service.url}/readyz", timeout=TIMEOUT_S).status_code == 200
        photo = {"file": painted_photo()}
        answer = httpx.post(f"{service.url}/v1/photos", files=photo, timeout=TIMEOUT_S)
        assert answer.status_code == 201
        assert answer.json()["status"] == "cropped"
        status, log = service.stop()
    assert status == 0
    assert "Traceback" not in log


def test_ctrl_c_ends_it_in_peace_too(workplace: Workplace) -> None:
    with serving(workplace) as service:
        assert service.stop(signal.SIGINT) == (0, "")


def test_request_in_flight_is_answered_after_the_order_to_stop(workplace: Workplace) -> None:
    photo = painted_photo()
    with serving(workplace) as service:
        address = httpx.URL(service.url)
        connection = http.client.HTTPConnection(address.host, address.port, timeout=TIMEOUT_S)
        connection.putrequest("POST", "/v1/photos")
        connection.putheader("Content-Type", "image/jpeg")
        connection.putheader("Content-Length", str(len(photo)))
        connection.putheader("Expect", "100-continue")
        connection.endheaders(photo[:1000])
        connection.sock.recv(1, socket.MSG_PEEK)  # told to go on: it has the request in hand
        service.process.send_signal(signal.SIGTERM)
        while port_answers(address.port or 0):
            sleep(0.02)
        connection.send(photo[1000:])
        assert connection.getresponse().status == 201
        connection.close()
        assert service.process.wait(TIMEOUT_S) == 0


def test_log_is_json_where_no_person_reads_it(workplace: Workplace) -> None:
    with serving(workplace) as service:
        httpx.get(f"{service.url}/no/such/page", timeout=TIMEOUT_S)
        _, log = service.stop()
    assert re.search(r'^\{.*"event": "request\.[a-z]+".*\}$', log, re.MULTILINE)


def test_taken_port_ends_with_1_and_one_line(workplace: Workplace) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        refused = workplace.run("serve", "--port", str(port))
    assert refused.returncode == 1
    assert refused.stderr == (
        f"metercrop: cannot listen on 127.0.0.1:{port} (Address already in use); "
        "choose another --host or --port\n"
    )


def test_cuda_without_a_gpu_ends_with_1_and_one_line(tmp_path: Path) -> None:
    blind = workplace_in(tmp_path, CUDA_VISIBLE_DEVICES="")
    refused = blind.run("serve", "--port", "0", "--device", "cuda")
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert refused.stderr.startswith("metercrop: METERCROP_DEVICE asks for cuda, but ")


def test_embedded_database_is_made_on_the_way(workplace: Workplace) -> None:
    with serving(workplace) as service:
        assert httpx.get(f"{service.url}/v1/photos", timeout=TIMEOUT_S).json()["items"] == []
    assert (workplace.folder / "metercrop-data" / "metercrop.db").exists()


@pytest.mark.parametrize(
    ("auth", "host", "rule"),
    [
        (None, "127.0.0.1", AuthRule.ONCE_A_KEY_EXISTS),
        (None, "::1", AuthRule.ONCE_A_KEY_EXISTS),
        (None, "localhost", AuthRule.ONCE_A_KEY_EXISTS),
        (None, "0.0.0.0", AuthRule.ALWAYS),
        (None, "meters.example", AuthRule.ALWAYS),
        ("on", "127.0.0.1", AuthRule.ALWAYS),
        ("off", "0.0.0.0", AuthRule.NEVER),
    ],
)
def test_keys_are_asked_for_unless_only_this_machine_can_call(
    auth: str | None, host: str, rule: AuthRule
) -> None:
    settings = read_settings({} if auth is None else {"auth": auth})
    assert bootstrap.auth_rule_of(settings, host=host) is rule
