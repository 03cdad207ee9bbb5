"""Nothing that the demonstration starts outlives it, and what it cannot start with is said at once."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from coldtrail.demo import guardian, run_demo
from coldtrail.demo.options import Options
from coldtrail.demo.processes import Child, DemoFailed, Processes

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)",
]


def sleeper(command: list[str] = SLEEP) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(command, start_new_session=True, stdout=subprocess.PIPE)


def test_children_end_with_the_context(tmp_path: Path) -> None:
    with sleeper() as process:
        with Processes(tmp_path) as processes:
            processes.adopt(Child("sleeper", process, tmp_path / "log"))
            processes.check()
        assert process.returncode == -signal.SIGTERM


def test_a_child_that_ends_by_itself_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("the disk is full\n")
    with sleeper([sys.executable, "-c", "raise SystemExit(3)"]) as process:
        process.wait()
        with Processes(tmp_path) as processes:
            processes.adopt(Child("sleeper", process, log))
            with pytest.raises(DemoFailed, match=r"(?s)sleeper ended with status 3.*disk is full"):
                processes.check()


def test_the_guardian_ends_what_a_killed_demonstration_left(tmp_path: Path) -> None:
    """Also whom it had no time to adopt, and whoever that one started."""
    start = f"import subprocess, time; subprocess.Popen({SLEEP!r}); time.sleep(60)"
    begin = (
        "import os, signal, subprocess, sys; from pathlib import Path\n"
        "from coldtrail.demo.processes import Processes\n"
        f"processes = Processes(Path({str(tmp_path)!r}))\n"
        f"subprocess.Popen([sys.executable, '-c', {start!r}], process_group=processes.group)\n"
        "print(processes.group, flush=True); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", begin], stdout=subprocess.PIPE, timeout=60)
    assert done.returncode == -signal.SIGKILL
    give_up = time.monotonic() + 30
    while _runs(int(done.stdout)) and time.monotonic() < give_up:
        time.sleep(0.05)
    assert not _runs(int(done.stdout))


def _runs(group: int) -> bool:
    """Whether anybody is left in a process group; where there is /proc, zombies that nobody has collected are not."""
    stats = [*Path("/proc").glob("[0-9]*/stat")]
    if not stats:
        return _is_there(group)
    for stat in stats:
        with suppress(FileNotFoundError, ProcessLookupError):
            state, _, of = stat.read_text().rpartition(")")[2].split()[:3]
            if int(of) == group and state != "Z":
                return True
    return False


def _is_there(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_nothing_of_a_child_outlives_the_context(tmp_path: Path) -> None:
    with Processes(tmp_path) as processes:
        stubborn = subprocess.Popen(STUBBORN, process_group=processes.group, stdout=subprocess.PIPE)
        assert stubborn.stdout is not None
        stubborn.stdout.readline()
    with stubborn:
        assert stubborn.wait(10) == -signal.SIGKILL
    assert not _runs(processes.group)


def test_the_guardian_uses_force_on_who_does_not_listen() -> None:
    with sleeper(STUBBORN) as process:
        assert process.stdout is not None
        process.stdout.readline()
        guardian.end(process.pid, patience=0.3)
        assert process.wait(10) == -signal.SIGKILL


def test_a_port_in_use_is_one_clear_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run_demo(tmp_path / "var", port, None, 60, None, None, None) == 1
    said = capsys.readouterr().err
    assert f"port {port}" in said
    assert "COLDTRAIL_PORT" in said
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize("speed", [0, -1, 601, float("nan")])
def test_a_speed_at_which_nothing_goes_or_no_fact_comes_into_the_log_in_time_is_refused(
    tmp_path: Path, speed: float
) -> None:
    with pytest.raises(DemoFailed, match="speed"):
        Options(tmp_path, 0, None, speed, None, None, None).require()


def test_a_database_that_we_do_not_know_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DemoFailed, match="the database URL is not"):
        Options(tmp_path, 0, None, 60, None, "mysql://x", None).require()


def test_two_demonstrations_do_not_share_a_folder(tmp_path: Path) -> None:
    options = Options(tmp_path / "var", 0, None, 60, None, None, None)
    with options.alone(), pytest.raises(DemoFailed, match="another demonstration"), options.alone():
        pass
    with options.alone():
        pass
