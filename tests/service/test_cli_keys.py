import json
from base64 import urlsafe_b64decode
from pathlib import Path
from typing import Any

import pytest

from service.adapters.sql.ledger import SqlLedger
from service.core.access import ApiKey, Scope, secret_sha256
from tests.servers.postgres import opened
from tests.service.commands import Workplace, workplace_in


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    return workplace_in(tmp_path)


def created(workplace: Workplace, *arguments: str) -> dict[str, Any]:
    done = workplace.call("keys", "create", "--json", *arguments)
    assert done.exit_code == 0, done.output
    account: dict[str, Any] = json.loads(done.stdout)
    return account


def key_of(workplace: Workplace, secret: str) -> ApiKey:
    with opened(f"sqlite:///{workplace.folder}/metercrop-data/metercrop.db") as engine:
        key = SqlLedger(engine).key_by_secret(secret_sha256(secret))
    assert key is not None
    return key


def test_created_key_is_256_random_bits_that_say_whose_they_are(workplace: Workplace) -> None:
    secret = created(workplace, "--name", "a", "--scope", "read")["key"]
    assert secret.startswith("mc_")
    assert len(urlsafe_b64decode(secret.removeprefix("mc_") + "=")) == 32
    assert secret != created(workplace, "--name", "a", "--scope", "read")["key"]


def test_created_key_is_kept_as_its_hash_alone(workplace: Workplace) -> None:
    account = created(workplace, "--name", "reader app", "--scope", "upload", "--scope", "read")
    key = key_of(workplace, account["key"])
    assert (str(key.id), key.name) == (account["id"], "reader app")
    assert key.scopes == {Scope.UPLOAD, Scope.READ}
    files = (workplace.folder / "metercrop-data").iterdir()
    assert not any(account["key"].encode() in file.read_bytes() for file in files)


def test_created_key_is_shown_once_and_alone_on_stdout(workplace: Workplace) -> None:
    done = workplace.call("keys", "create", "--name", "a", "--scope", "read")
    secret = done.stdout.strip()
    assert key_of(workplace, secret).name == "a"
    assert "not shown again" in done.stderr
    assert secret not in workplace.call("keys", "list").output
    assert secret not in workplace.call("keys", "list", "--json").output


def test_scopes_may_follow_one_flag(workplace: Workplace) -> None:
    account = created(workplace, "--name", "a", "--scope", "upload", "read", "jobs")
    assert account["scopes"] == ["jobs", "read", "upload"]


def test_listed_keys_are_the_oldest_first(workplace: Workplace) -> None:
    names = ["first", "second", "third"]
    for name in names:
        created(workplace, "--name", name, "--scope", "read")
    listed = json.loads(workplace.call("keys", "list", "--json").stdout)
    assert [key["name"] for key in listed] == names


def test_listed_id_is_whole_in_a_narrow_terminal(workplace: Workplace) -> None:
    account = created(workplace, "--name", "a name " * 20, "--scope", "read", "upload")
    assert account["id"] in workplace.call("keys", "list").stdout


def test_name_cannot_write_control_characters_to_the_terminal(workplace: Workplace) -> None:
    created(workplace, "--name", "a\x1b[31mb[bold]", "--scope", "read")
    listed = workplace.call("keys", "list").stdout
    assert "a\\x1b[31mb[bold]" in listed
    assert "\x1b" not in listed


def test_revoked_key_allows_nothing_and_says_since_when(workplace: Workplace) -> None:
    account = created(workplace, "--name", "a", "--scope", "admin")
    assert workplace.call("keys", "revoke", account["id"]).exit_code == 0
    assert not key_of(workplace, account["key"]).allows(Scope.READ)
    assert "revoked" in workplace.call("keys", "list").stdout
    listed = json.loads(workplace.call("keys", "list", "--json").stdout)
    assert listed[0]["revoked_at"].endswith("Z")


def test_unknown_key_cannot_be_revoked(workplace: Workplace) -> None:
    failed = workplace.call("keys", "revoke", "0199e3c4-7d1a-7c52-b8a4-4c8d2f6e9a10")
    assert failed.exit_code == 1
    assert failed.stderr == (
        "metercrop: there is no key 0199e3c4-7d1a-7c52-b8a4-4c8d2f6e9a10; "
        "`metercrop keys list` shows all\n"
    )


@pytest.mark.parametrize("scopes", [(), ("--scope", "everything")], ids=["none", "unknown"])
def test_key_needs_a_known_scope(scopes: tuple[str, ...], workplace: Workplace) -> None:
    assert workplace.call("keys", "create", "--name", "a", *scopes).exit_code == 2


def test_name_that_no_database_keeps_is_refused(workplace: Workplace) -> None:
    failed = workplace.call("keys", "create", "--scope", "read", "--name", "n" * 256)
    assert failed.exit_code == 1
    assert "at most 255" in failed.stderr
