"""The command line around a compiler that is replaced by a stub: exit codes, streams, files, signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import types
from dataclasses import dataclass
from pathlib import Path

import pytest

import pdespec
from pdespec.cli import main
from pdespec.diagnostics import Diagnostic, SpecError, error, warning
from pdespec.source import Source, Span

SCRIPT = '''\
"""demo.  Emitted by pdespec 0.1.0."""
import signal, sys, time
from pathlib import Path
out = Path(sys.argv[sys.argv.index("--out") + 1])
(out / "argv.txt").write_text("\\n".join(sys.argv[1:]))
(out / "metrics.json").write_text('{"reports": [1]}')
(out / "history.csv").write_text("step,stage,bulk\\n1,adam,1.0\\n2,adam,0.5\\n")
def stop(number, frame):
    (out / "stopped.txt").write_text(str(number))
    sys.exit(130)
signal.signal(signal.SIGINT, stop)
signal.signal(signal.SIGTERM, stop)
print("training", flush=True)
if "--steps" in sys.argv and sys.argv[sys.argv.index("--steps") + 1] == "999":
    time.sleep(60)
sys.exit(1 if "--quick" in sys.argv else 0)
'''


@dataclass(frozen=True)
class Stub:
    """What the stubbed compiler returns for every spec."""

    source: str = SCRIPT
    diagnostics: tuple[Diagnostic, ...] = ()
    model: object = None
    derivation: object = None
    plan: object = None

    def require(self) -> Stub:
        return self


def install(monkeypatch: pytest.MonkeyPatch, outcome: Stub | Exception) -> list[dict[str, object]]:
    """Put a compiler in place that answers with `outcome`; returns the list of its calls."""
    calls: list[dict[str, object]] = []

    def answer(source: Source, **more: object) -> Stub:
        calls.append({"text": source.text, "name": source.name, **more})
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    compiler = types.ModuleType("pdespec.compiler")
    compiler.compile = answer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pdespec.compiler", compiler)
    monkeypatch.setattr(pdespec, "compiler", compiler, raising=False)
    return calls


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = Path("demo.pde")
    path.write_text("# A demonstration.\nparam κ = 1\n", encoding="utf-8")
    return path


def a_warning() -> Diagnostic:
    source = Source("demo.pde", "# A demonstration.\nparam κ = 1\n")
    return warning("PDE450", Span(source, 25, 26), "undecided")


def test_help_is_immediate_and_imports_nothing_heavy() -> None:
    code = (
        "import sys, pdespec.cli\n"
        "try: pdespec.cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "import resource\n"
        "used = resource.getrusage(resource.RUSAGE_SELF)\n"
        "heavy = {'torch', 'sympy', 'lark', 'matplotlib', 'numpy'} & set(sys.modules)\n"
        "print(used.ru_utime + used.ru_stime, sorted(heavy), file=sys.stderr)\n"
    )
    seconds = []
    for _ in range(3):
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        used, heavy = result.stderr.split(" ", 1)
        assert heavy.strip() == "[]"
        assert "explain" in result.stdout
        seconds.append(float(used))
    assert min(seconds) < 0.2


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"pdespec {pdespec.__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [[], ["nonsense"], ["check"], ["explain", "demo.pde", "--stage", "nothing"], ["build", "x", "--engine", "magic"]],
)
def test_wrong_usage_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: pdespec" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["check", "missing.pde"], "cannot read missing.pde: No such file or directory"),
        (["check", "."], ". is not a regular file"),
        (["check", "/dev/zero"], "/dev/zero is not a regular file"),
        (["check", "demo.pde", "--set", "κ"], "--set takes NAME=VALUE, not 'κ'"),
        (["check", "demo.pde", "--set", "κ=1", "--set", "κ=2"], "--set κ is given twice"),
        (["explain", "demo.pde", "--stage", "plan", "--latex"], "--latex tells the derivation"),
        (["explain", "PDE000"], "there is no PDE000"),
        (["plot", "nowhere"], "is it the folder of a run?"),
    ],
)
def test_a_mistake_on_the_command_line_is_2_and_named(
    arguments: list[str], words: str, spec: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install(monkeypatch, Stub())
    assert main(arguments) == 2
    assert words in capsys.readouterr().err


def test_check_says_ok_and_names_the_verdicts(
    spec: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    identities = [
        types.SimpleNamespace(check=types.SimpleNamespace(text="a = b"), verdict="proved"),
        types.SimpleNamespace(check=types.SimpleNamespace(text="c = d"), verdict="undecided", points=20, digits=30),
    ]
    calls = install(monkeypatch, Stub(derivation=types.SimpleNamespace(identities=identities)))
    assert main(["check", "demo.pde", "--set", "κ=2", "--set", "d = 3"]) == 0
    assert capsys.readouterr().out == (
        "  check a = b: proved\n  check c = d: undecided (holds at 20 random points to 30 digits)\ndemo.pde: ok\n"
    )
    assert calls[0]["upto"] == "code"
    assert calls[0]["settings"] == {"κ": "2", "d": "3"}
    assert calls[0]["folder"] == Path()


def test_a_warning_fails_only_under_strict(
    spec: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install(monkeypatch, Stub(diagnostics=(a_warning(),)))
    assert main(["check", "demo.pde"]) == 0
    assert "warning[PDE450]: undecided" in capsys.readouterr().err
    assert main(["check", "demo.pde", "--strict"]) == 1
    assert "ok" not in capsys.readouterr().out
    assert main(["build", "demo.pde", "--strict"]) == 1
    assert not Path("build").exists()


def test_errors_go_to_stderr_and_are_1(
    spec: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install(monkeypatch, SpecError([error("PDE101", None, "unknown name `x`")]))
    for command in ("check", "build", "run", "explain"):
        assert main([command, "demo.pde"]) == 1
        output = capsys.readouterr()
        assert output.out == "" and output.err.startswith("error[PDE101]: unknown name `x`\n")
        assert output.err.endswith("1 error\n")


def test_json_is_one_object_on_stdout(
    spec: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install(monkeypatch, Stub(diagnostics=(a_warning(),)))
    assert main(["check", "demo.pde", "--json"]) == 0
    output = capsys.readouterr()
    told = json.loads(output.out)
    assert output.err == "" and told["ok"] is True and told["diagnostics"][0]["code"] == "PDE450"
    install(monkeypatch, SpecError([error("PDE101", None, "unknown name `x`")]))
    assert main(["build", "demo.pde", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is False and told["pdespec"] == pdespec.__version__


def test_an_internal_error_is_3_and_says_how_to_report(
    spec: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install(monkeypatch, ZeroDivisionError("division by zero"))
    assert main(["check", "demo.pde"]) == 3
    told = capsys.readouterr().err
    assert "internal error: ZeroDivisionError: division by zero" in told and "Please report it" in told
    assert "Traceback" not in told
    assert main(["check", "demo.pde", "--debug"]) == 3
    assert "Traceback" in capsys.readouterr().err


def test_specs_that_are_not_text_are_refused(
    spec: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install(monkeypatch, Stub())
    Path("latin.pde").write_bytes(b"# ok\nparam \xe9 = 1\n")
    assert main(["check", "latin.pde"]) == 1
    assert "latin.pde is not UTF-8: byte 0xe9 in line 2" in capsys.readouterr().err
    Path("huge.pde").write_bytes(b"#" * (1 << 20) + b"\n")
    assert main(["check", "huge.pde"]) == 1
    assert "huge.pde is larger than 1 MiB" in capsys.readouterr().err


def test_build_writes_where_it_is_told_and_only_over_its_own(
    spec: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install(monkeypatch, Stub())
    assert main(["build", "demo.pde"]) == 0
    assert capsys.readouterr().out.startswith("wrote build/demo.py  (")
    assert Path("build/demo.py").read_text() == SCRIPT
    assert main(["build", "demo.pde"]) == 0
    assert main(["build", "demo.pde", "-o", "mine.py"]) == 0
    assert main(["build", "demo.pde", "-o", "folder"]) == 0
    assert Path("mine.py").read_text() == Path("folder/demo.py").read_text() == SCRIPT
    Path("mine.py").write_text("print('precious')\n")
    assert main(["build", "demo.pde", "-o", "mine.py"]) == 2
    assert "mine.py was not written by pdespec" in capsys.readouterr().err
    assert Path("mine.py").read_text() == "print('precious')\n"
    assert sorted(p.name for p in Path("build").iterdir()) == ["demo.py"]


def test_build_does_not_follow_a_link_out_of_its_folder(
    spec: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(monkeypatch, Stub())
    Path("precious.txt").write_text("precious")
    Path("link.py").symlink_to("precious.txt")
    Path("dangling.py").symlink_to("nowhere.txt")
    assert main(["build", "demo.pde", "-o", "link.py"]) == 2
    assert main(["build", "demo.pde", "-o", "dangling.py"]) == 2
    assert Path("precious.txt").read_text() == "precious" and not Path("nowhere.txt").exists()


@pytest.mark.parametrize(
    ("spec_name", "module"), [("random", "random_"), ("2d heat", "_2d_heat"), ("class", "class_"), ("heat", "heat")]
)
def test_a_script_hides_no_module(spec_name: str, module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    install(monkeypatch, Stub())
    Path(f"{spec_name}.pde").write_text("#\n")
    assert main(["build", f"{spec_name}.pde"]) == 0
    assert Path(f"build/{module}.py").exists()


def test_run_builds_passes_flags_on_and_draws(
    spec: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    install(monkeypatch, Stub())
    flags = ["--device", "cpu", "--seed", "7", "--steps", "3", "--resume"]
    assert main(["run", "demo.pde", *flags]) == 0
    out = capfd.readouterr().out
    assert "wrote runs/demo/demo.py" in out and "training\n" in out and "pictures: runs/demo/history.png" in out
    argv = Path("runs/demo/argv.txt").read_text().split("\n")
    assert argv == ["--out", "runs/demo", *flags]
    assert main(["run", "demo.pde", "--quick", "-o", "other"]) == 1
    assert Path("other/history.png").exists()


def test_run_as_json_keeps_stdout_for_the_object(
    spec: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    install(monkeypatch, Stub())
    assert main(["run", "demo.pde", "--json"]) == 0
    output = capfd.readouterr()
    told = json.loads(output.out)
    assert told["metrics"] == {"reports": [1]} and told["exit_code"] == 0
    assert told["pictures"] == ["runs/demo/history.png"] and "training" in output.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_reach_the_script_once(number: signal.Signals, spec: Path, tmp_path: Path) -> None:
    script = tmp_path / "demo.py"
    script.write_text(SCRIPT)
    code = (
        "import sys; from pdespec.commands.child import supervised\n"
        f"sys.exit(supervised([sys.executable, {str(script)!r}, '--out', '.', '--steps', '999']))"
    )
    root = Path(pdespec.__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment)
    assert parent.stdout is not None and parent.stdout.readline() == b"training\n"
    started = time.monotonic()
    parent.send_signal(number)
    assert parent.wait(20) == 130
    assert time.monotonic() - started < 10
    assert Path("stopped.txt").read_text() == str(int(number))
    parent.stdout.close()


def test_new_writes_a_spec_once(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for kind in ("equation", "objective", "flow"):
        assert main(["new", f"my_{kind}", "--kind", kind]) == 0
        assert Path(f"my_{kind}.pde").read_text(encoding="utf-8").startswith("# ")
    assert main(["new", "demo.pde"]) == 2
    assert "demo.pde exists; nothing was written" in capsys.readouterr().err
    assert spec.read_text(encoding="utf-8").startswith("# A demonstration")


def test_list_names_every_shipped_spec(capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path(pdespec.__file__).parents[1] / "specs"
    assert main(["list", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["specs"]
    assert set(told) == {path.stem for path in folder.glob("*.pde")}
    assert all(words for words in told.values())
    assert main(["list"]) == 0
    assert "poisson " in capsys.readouterr().out


def test_a_shipped_spec_goes_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    calls = install(monkeypatch, Stub())
    assert main(["check", "poisson"]) == 0
    assert "domain" in str(calls[0]["text"]) and str(calls[0]["name"]).endswith("specs/poisson.pde")


def test_fmt_prints_checks_and_rewrites(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    untidy = "# A demonstration.\nparam κ=1   # a constant\n"
    spec.write_text(untidy, encoding="utf-8")
    assert main(["fmt", "demo.pde"]) == 0
    tidy = capsys.readouterr().out
    assert "param κ = 1" in tidy and "# a constant" in tidy
    assert spec.read_text(encoding="utf-8") == untidy
    assert main(["fmt", "demo.pde", "--check"]) == 1
    assert "demo.pde would change" in capsys.readouterr().err
    assert main(["fmt", "demo.pde", "-i"]) == 0
    assert spec.read_text(encoding="utf-8") == tidy
    assert main(["fmt", "demo.pde", "--check"]) == 0
    assert main(["fmt", "demo.pde", "--ascii"]) == 0
    assert "param kappa = 1" in capsys.readouterr().out
    assert main(["fmt", "-", "-i"]) == 2


def test_fmt_takes_several_and_goes_on_after_a_bad_one(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad, other = Path("bad.pde"), Path("other.pde")
    bad.write_text("param = 1\n", encoding="utf-8")
    other.write_text("param κ=1\n", encoding="utf-8")
    assert main(["fmt", "--check", "demo.pde", "bad.pde", "other.pde"]) == 1
    said = capsys.readouterr().err
    assert "error[PDE001]" in said and "other.pde would change" in said and "demo.pde would change" not in said
    assert main(["fmt", "-i", "bad.pde", "other.pde"]) == 1
    assert other.read_text(encoding="utf-8") == "param κ = 1\n"
    assert main(["fmt", "-i", "other.pde", "-"]) == 2


def test_check_takes_several(spec: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    Path("other.pde").write_text("param κ = 2\n", encoding="utf-8")
    calls = install(monkeypatch, Stub())
    assert main(["check", "demo.pde", "other.pde"]) == 0
    assert [call["name"] for call in calls] == ["demo.pde", "other.pde"]
    assert capsys.readouterr().out == "demo.pde: ok\nother.pde: ok\n"
    install(monkeypatch, SpecError([error("PDE303", None, "no start")]))
    assert main(["check", "demo.pde", "other.pde"]) == 1
    assert capsys.readouterr().err.count("error[PDE303]") == 2


@pytest.mark.parametrize(
    ("asked", "answer"),
    [("demo", "did you mean demo.pde?"), ("poison", "did you mean poisson? `pdespec list` has all"), ("zzz.pde", "")],
)
def test_a_file_that_is_not_there(spec: Path, capsys: pytest.CaptureFixture[str], asked: str, answer: str) -> None:
    assert main(["check", asked]) == 2
    said = capsys.readouterr().err
    assert f"cannot read {asked}: No such file or directory" in said
    assert said.rstrip().endswith(answer or "directory")


def test_fmt_of_a_bad_spec_is_1_and_changes_nothing(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec.write_text("param = 1\n", encoding="utf-8")
    assert main(["fmt", "demo.pde", "-i"]) == 1
    assert "error[PDE001]" in capsys.readouterr().err
    assert spec.read_text(encoding="utf-8") == "param = 1\n"


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    command = f"{sys.executable} -m pdespec explain PDE303 | head -n 1"
    root = Path(pdespec.__file__).parents[1]
    result = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=root, check=True)
    assert "Traceback" not in result.stderr and "Exception" not in result.stderr
