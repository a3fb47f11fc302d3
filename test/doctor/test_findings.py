from __future__ import annotations

from pathlib import Path

import pytest

from pixelrs_ros.doctor.findings import Finding, Level, Subject, examine, ok, perform

# A module of checks in which the second crashes, the third never ends and the fourth writes where it should not.
BROKEN = """
import os, signal, sys, time
from pixelrs_ros.doctor.findings import ok, serve
def crash(subject):
    print("undefined symbol: _ARRAY_API", file=sys.stderr, flush=True)
    os.kill(os.getpid(), signal.SIGSEGV)
def hang(subject):
    while True:
        time.sleep(3600)
def loud(subject):
    print('{"end": true}')
    return ok(subject.checkpoint)
checks = {"first": lambda subject: ok("fine"), "crash": crash, "hang": hang, "loud": loud, "last": lambda s: 1 / 0}
if __name__ == "__main__":
    serve(checks)
"""


@pytest.mark.parametrize("error", [ZeroDivisionError("by zero"), SystemExit(102), OSError("libcuda.so.1")])
def test_what_a_check_raises_is_a_finding(error: BaseException) -> None:
    def check(_: Subject) -> Finding:
        raise error

    finding = perform(check, Subject())
    assert finding.level is Level.FAIL and type(error).__name__ in finding.text and str(error) in finding.text
    assert finding.remedy


def test_no_check_ends_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_checks.py").write_text(BROKEN)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    findings = examine("broken_checks", Subject(checkpoint='a "b" ü'), limit_s=10)
    assert list(findings) == ["first", "crash", "hang", "loud", "last"]
    assert findings["first"] == ok("fine") and findings["loud"] == ok('a "b" ü')
    assert findings["crash"].level is Level.FAIL and "undefined symbol: _ARRAY_API" in findings["crash"].text
    assert findings["hang"].level is Level.FAIL and "did not end within 10 s" in findings["hang"].text
    assert findings["last"].level is Level.FAIL and "ZeroDivisionError" in findings["last"].text


def test_a_module_that_cannot_be_imported_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "checks_without.py").write_text("import a_module_that_nobody_has")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    findings = examine("checks_without", Subject(), limit_s=60)
    assert list(findings) == ["checks_without"]
    assert findings["checks_without"].level is Level.FAIL
    assert "a_module_that_nobody_has" in findings["checks_without"].text
