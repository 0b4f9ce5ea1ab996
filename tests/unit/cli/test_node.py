"""`stillwatch node` makes tokens, and refuses what would be unsafe or cannot be read."""

from pathlib import Path

import pytest

from stillwatch.cli import main


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["node", *words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_token_is_made_listed_and_revoked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--data", str(tmp_path / "node")]
    code, made, _ = said(
        capsys, "token", "add", "gateway east", "--scope", "ingest", "--scope", "decide", *data
    )
    assert code == 0
    token_id = made.split("_")[1]
    _, listed, _ = said(capsys, "token", "list", *data)
    assert listed.split()[:3] == [token_id, "valid", "ingest,decide"]
    assert "gateway east" in listed
    assert made.strip().rsplit("_", 1)[1] not in listed
    assert said(capsys, "token", "revoke", token_id, *data)[0] == 0
    assert "revoked" in said(capsys, "token", "list", *data)[1]


def test_a_token_may_expire(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--data", str(tmp_path)]
    assert said(capsys, "token", "add", "x", "--scope", "admin", "--expires", "90d", *data)[0] == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--listen", "nowhere"], "is no address"),
        (["--listen", "127.0.0.1:99999"], "is no address"),
        (["--every", "soon"], "is no length of time"),
        (["--every", "0m"], "is no length of time"),
        (["--listen", "0.0.0.0:8585"], "tokens would travel in the clear"),
        (["--tls-cert", "cert.pem"], "TLS needs a certificate and its key"),
        (["--tls-cert", "cert.pem", "--tls-key", "key.pem"], "cert.pem is no file"),
        (["--columns", "nothing=x"], "is no canonical column"),
        (["token", "add", "x", "--scope", "everything"], "everything"),
        (["token", "add", "x", "--scope", "ingest", "--rate", "0"], "must be above zero"),
        (["token", "revoke", "000000000000"], "no token has the id"),
    ],
)
def test_what_makes_no_sense_is_refused(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = said(capsys, *words, "--data", str(tmp_path))
    assert code == 2
    assert message in err


def test_a_folder_to_follow_must_exist(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = said(
        capsys, "--data", str(tmp_path), "--listen", "127.0.0.1:0", "--watch", str(tmp_path / "no")
    )
    assert (code, "is no folder" in err) == (2, True)


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    code, _, err = said(capsys, "--data", str(tmp_path / "file" / "node"), "--listen", "127.0.0.1:0")
    assert (code, "cannot be used" in err) == (1, True)
