"""Slurm with three nodes on this machine: as an ordinary user, on loopback, in one folder."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from typing import NamedTuple

NODES = ("n1", "n2", "n3")
PROGRAMS = ("slurmctld", "slurmd", "munged", "sbatch", "squeue", "scancel", "scontrol")
PACKAGES = "slurmctld slurmd slurm-client munge"
"""Debian's packages with these programs."""

START_SECONDS = 30.0
END_SECONDS = 15.0

SBIN = "/usr/sbin:/sbin"
"""Where Debian has the daemons; not on an ordinary user's PATH."""

CONFIGURATION = """\
ClusterName=ror
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/sock,cred_expire=5
CredType=cred/munge
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmctldPort={port}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd-%n.log
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
MailProg=/bin/true
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2
ReturnToService=2
MinJobAge=300
KillWait=15
InactiveLimit=0
{nodes}
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
"""

NODE = "NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=1 RealMemory=1000"


def missing_programs() -> list[str]:
    """The programs that are not installed."""
    path = f"{os.environ.get('PATH', os.defpath)}:{SBIN}"
    return [name for name in PROGRAMS if not shutil.which(name, path=path)]


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody uses."""
    with ExitStack() as stack:
        found = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in found:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in found]


class Cluster:
    """The daemons of Slurm and of munge below ``folder``. Use it as a context manager."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.environ = {**os.environ, "SLURM_CONF": os.path.join(folder, "slurm.conf")}
        self.environ["PATH"] = f"{os.environ.get('PATH', os.defpath)}:{SBIN}"
        self.at_munge = os.path.join(folder, "munge")

    def __enter__(self) -> Cluster:
        try:
            self._prepare()
            self._start_munge()
            self.start_controller()
            for node in NODES:
                self.start_node(node)
            self.wait(lambda: all(s == "idle" for s in self.nodes().values()), "three idle nodes")
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _prepare(self) -> None:
        places = ("munge", "state", "log", *(f"spool/{node}" for node in NODES))
        for place in places:
            os.makedirs(os.path.join(self.folder, place))
        key = os.open(os.path.join(self.at_munge, "key"), os.O_WRONLY | os.O_CREAT, 0o600)
        os.write(key, os.urandom(1024))
        os.close(key)
        os.chmod(self.at_munge, 0o711)
        host, user = socket.gethostname().split(".")[0], pwd.getpwuid(os.geteuid()).pw_name
        port, *ports = free_ports(1 + len(NODES))
        lines = [NODE.format(name=n, host=host, port=p) for n, p in zip(NODES, ports)]
        text = CONFIGURATION.format(
            host=host, user=user, folder=self.folder, port=port, nodes="\n".join(lines)
        )
        with open(self.environ["SLURM_CONF"], "w", encoding="utf-8") as file:
            file.write(text)

    def _start_munge(self) -> None:
        names = {"socket": "sock", "key-file": "key", "pid-file": "pid", "log-file": "log"}
        names["seed-file"] = "seed"
        where = [f"--{name}={os.path.join(self.at_munge, file)}" for name, file in names.items()]
        self.run("munged", "--force", "--num-threads=2", *where)

    def start_controller(self) -> None:
        """Start the controller, and wait until it answers."""
        self.run("slurmctld", "-f", self.environ["SLURM_CONF"])
        self.wait(lambda: self.try_run("scontrol", "ping").returncode == 0, "the controller")

    def start_node(self, node: str) -> None:
        """Start the daemon of a node."""
        self.run("slurmd", "-f", self.environ["SLURM_CONF"], "-N", node)

    def kill_controller(self) -> None:
        """Kill the controller, as a crash of its machine would."""
        self._end("slurmctld.pid", signal.SIGKILL)

    def kill_node(self, node: str) -> None:
        """Kill a node with everything that runs on it, and let the controller know that it is gone.

        A real controller notices by itself, after ``SlurmdTimeout``.
        """
        self._end(f"slurmd-{node}.pid", signal.SIGKILL)
        self.wait(lambda: not self._kill_once(node), f"the end of what ran on {node}")
        self.run("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=killed")

    def _kill_once(self, node: str) -> bool:
        """Kill what is left of a node; whether there was something."""
        found = self._of_node(node)
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return bool(found)

    def _of_node(self, node: str) -> list[int]:
        """The processes on a node: first the daemons of jobs, which would tell how theirs ended."""
        ours = {f"SLURM_CONF={self.environ['SLURM_CONF']}", f"SLURMD_NODENAME={node}"}
        found = {each.pid: each for each in processes()}
        jobs = [each for each in found.values() if ours <= each.variables]
        parents = {each.parent for each in jobs}
        steps = [p for p in parents if p in found and found[p].words.startswith("slurmstepd")]
        return [*steps, *(each.pid for each in jobs)]

    def nodes(self) -> dict[str, str]:
        """The state of each node, as sinfo says it."""
        said = self.run("sinfo", "--noheader", "--Node", "--format=%N %T").split("\n")
        return dict(line.split(" ", 1) for line in said if line)

    def stop(self) -> None:
        """Kill all daemons, which would take their time, and what their jobs left."""
        pids = [f"slurmd-{node}.pid" for node in NODES]
        for pid_file in (*pids, "slurmctld.pid", os.path.join("munge", "pid")):
            self._end(pid_file, signal.SIGKILL)
        self.wait(lambda: not self._kill_rest(), "the end of all processes")

    def _kill_rest(self) -> bool:
        """Kill what is left of this cluster; whether there was something."""
        ours = f"SLURM_CONF={self.environ['SLURM_CONF']}"
        found = [each.pid for each in processes() if ours in each.variables]
        for pid in set(found) - {os.getpid()}:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return bool(found)

    def _end(self, pid_file: str, how: signal.Signals) -> None:
        """Signal the daemon of a pid file and wait until it is gone."""
        path = os.path.join(self.folder, pid_file)
        try:
            with open(path, encoding="ascii") as file:
                pid = int(file.read())
        except (OSError, ValueError):
            return
        with suppress(ProcessLookupError):
            os.kill(pid, how)
        deadline = time.monotonic() + END_SECONDS
        while _is_alive(pid):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{pid_file} did not end")
            time.sleep(0.02)
        with suppress(FileNotFoundError):
            os.unlink(path)

    def run(self, *words: str) -> str:
        """Run a program of Slurm; its output. Raises if it fails."""
        finished = self.try_run(*words)
        if finished.returncode:
            raise RuntimeError(f"{' '.join(words)}: {finished.stdout}{finished.stderr}")
        return finished.stdout

    def try_run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a program of Slurm."""
        return subprocess.run(
            words, env=self.environ, capture_output=True, text=True, stdin=subprocess.DEVNULL
        )

    def wait(
        self, condition: Callable[[], bool], what: str, seconds: float = START_SECONDS
    ) -> None:
        """Wait for a condition."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what} did not come; {self.logs()}")
            time.sleep(0.05)

    def logs(self) -> str:
        """The ends of the daemons' logs."""
        found = []
        folder = os.path.join(self.folder, "log")
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
                found.append(f"-- {name}\n" + "".join(file.readlines()[-15:]))
        return "\n".join(found)


class Process(NamedTuple):
    """A process of this user."""

    pid: int
    parent: int
    variables: set[str]
    words: str


def processes() -> Iterator[Process]:
    """The processes of this user."""
    for name in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):
            variables = set(_read(name, "environ").split("\0"))
            parent = int(_read(name, "stat").rpartition(") ")[2].split()[1])
            yield Process(int(name), parent, variables, _read(name, "cmdline").replace("\0", " "))


def _is_alive(pid: int) -> bool:
    """Whether a process runs; one that nobody waited for yet does not."""
    try:
        return _read(str(pid), "stat").rpartition(") ")[2][0] not in "ZX"
    except OSError:
        return False


def _read(pid: str, what: str) -> str:
    with open(f"/proc/{pid}/{what}", "rb") as file:
        return os.fsdecode(file.read())


def ordinary(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment without what Slurm or a scheduler left in it."""
    return {n: v for n, v in environ.items() if not n.startswith(("SLURM", "SBATCH"))}
