"""A cluster of one machine for tests: Slurm's daemons and an ssh server on loopback, as whoever runs the tests."""
import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import time

PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"
START_S = 30
SETTLED_S = 3

SLURM_CONF = """
ClusterName=sluice
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MailProg=/bin/true
ReturnToService=2
SchedulerParameters=sched_interval=1,sched_min_interval=0,batch_sched_delay=0
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""

SSHD_CONF = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
PidFile {folder}/sshd.pid
AuthorizedKeysFile {folder}/mine.pub
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
"""

SSH_CONFIG = """
Host node*
  HostName 127.0.0.1
  Port {port}
  IdentityFile {folder}/mine
  UserKnownHostsFile /dev/null
  StrictHostKeyChecking no
  LogLevel ERROR
"""


def find(program):
    return shutil.which(program, path=PATH)


def lacking(*programs):
    """Why a cluster cannot run here, or None."""
    absent = [program for program in programs if not find(program)]
    return "%s not installed: scripts/install-deps.sh engines" % ", ".join(absent) if absent else None


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class Daemons:
    """Processes in a folder whose path is short enough for a socket; ended by their ids."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="sluice-", dir="/tmp")
        self.processes = []

    def start(self, name, *args, env=None):
        with open(os.path.join(self.folder, name + ".out"), "wb") as out:
            self.processes.append(subprocess.Popen([find(name), *args], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                                   env={**os.environ, **(env or {})}))

    def wait_for(self, ready, what):
        deadline = time.monotonic() + START_S
        while not ready():
            assert time.monotonic() < deadline, "%s does not start: %s" % (what, self.said())
            time.sleep(0.1)

    def said(self):
        names = [name for name in os.listdir(self.folder) if name.endswith((".out", ".log"))]
        texts = [open(os.path.join(self.folder, name), encoding="utf-8", errors="replace").read()[-2000:] for name in sorted(names)]
        return "\n".join(texts)

    def write(self, name, text, mode=0o644):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        os.chmod(path, mode)
        return path

    def __enter__(self):
        try:
            self.begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Slurm(Daemons):
    """munged, slurmctld and slurmd; env is what its commands need."""

    def begin(self):
        for name in ("state", "spool"):
            os.mkdir(os.path.join(self.folder, name))
        key = self.write("munge.key", os.urandom(1024), 0o600)
        self.start("munged", "--foreground", "--force", "--key-file=" + key, "--socket=%s/munge" % self.folder, "--pid-file=%s/munge.pid" % self.folder,
                   "--log-file=%s/munge.log" % self.folder, "--seed-file=%s/munge.seed" % self.folder)
        self.wait_for(lambda: os.path.exists(os.path.join(self.folder, "munge")), "munged")
        conf = self.write("slurm.conf", SLURM_CONF.format(
            folder=self.folder, host=socket.gethostname().split(".")[0], user=getpass.getuser(), cpus=len(os.sched_getaffinity(0)),
            controller_port=free_port(), node_port=free_port()))
        self.env = {"SLURM_CONF": conf, "PATH": PATH}
        self.start("slurmctld", "-D", env=self.env)
        self.start("slurmd", "-D", env=self.env)
        self.wait_for(lambda: (self.run("sinfo", "-h", "-o", "%t") or "").strip() == "idle", "Slurm")

    def run(self, *args):
        """What a command prints; None where it fails, as it does when the controller has no time."""
        done = subprocess.run(args, env={**os.environ, **self.env}, capture_output=True, text=True, check=False)
        return done.stdout if done.returncode == 0 else None

    def finish(self, seconds):
        """Waits until no job is left. Slurm lets a job that is queued again wait for two minutes, lest a node takes it for the one
        that it has just been told to kill; here that is over after SETTLED_S."""
        deadline, waiting = time.monotonic() + seconds, {}
        while True:
            now, said = time.monotonic(), self.run("squeue", "-h", "-r", "-o", "%F_%K %r")
            if said == "":
                return
            assert now < deadline, self.said()
            jobs = [line.split() for line in (said or "").splitlines()]
            late = {job for job, reason in jobs if reason == "BeginTime"}
            waiting = {job: waiting.get(job, now) for job in late}
            for job in late:
                if now - waiting[job] > SETTLED_S:
                    self.run("scontrol", "update", "JobId=" + job, "StartTime=now")
                    del waiting[job]
            time.sleep(0.3)


class Sshd(Daemons):
    """An ssh server that goes by the names node1, node2…; env makes parallel use it."""

    def begin(self):
        for name in ("host", "mine"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", os.path.join(self.folder, name)], check=True)
        port = free_port()
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)  # it wants that as root
        self.start("sshd", "-D", "-e", "-f", self.write("sshd.conf", SSHD_CONF.format(folder=self.folder, port=port)))
        config = self.write("ssh.conf", SSH_CONFIG.format(folder=self.folder, port=port))
        self.env = {"PARALLEL_SSH": "ssh -F " + config}
        reach = ["ssh", "-F", config, "node1", "true"]
        self.wait_for(lambda: subprocess.run(reach, capture_output=True, check=False).returncode == 0, "sshd")
