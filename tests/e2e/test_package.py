"""The Debian package on a fresh Debian 12 root: it installs with what it depends on, makes a report, and goes without
a trace. Needs root, debootstrap and a mirror."""
import glob
import os
import shutil
import subprocess

import pytest

from support import EXAMPLE, ROOT

pytestmark = pytest.mark.large


def mirror():
    """Where this machine's own packages come from."""
    lines = subprocess.run(["apt-get", "indextargets", "--format", "$(SITE) $(RELEASE)", "Created-By: Packages"],
                           capture_output=True, text=True, check=True).stdout.splitlines()
    sites = [line.split()[0] for line in lines if line.split()[1:] == ["bookworm"]]
    if not sites:
        pytest.skip("this is no Debian 12")
    return sites[0]


@pytest.fixture
def fresh(tmp_path):
    if os.geteuid() != 0 or not shutil.which("debootstrap"):
        pytest.skip("needs root and debootstrap")
    root = tmp_path / "root"
    subprocess.run(["debootstrap", "--variant=minbase", "bookworm", root, mirror()], check=True, stdout=subprocess.DEVNULL)
    for name in glob.glob("/etc/apt/sources.list*") + glob.glob("/etc/apt/apt.conf.d/*") + ["/etc/resolv.conf", "/etc/hosts"]:
        target = str(root) + name
        if os.path.isdir(name):
            shutil.copytree(name, target, dirs_exist_ok=True)
        elif os.path.exists(name):
            shutil.copy(name, target)

    def call(command):
        return subprocess.run(["chroot", root, "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive", "HOME=/root",
                               "sh", "-ec", command], capture_output=True, text=True, check=False)

    yield root, call
    subprocess.run(["rm", "-rf", "--one-file-system", root], check=True)


def files(root):
    found = set()
    for folder, _, names in os.walk(root):
        found.update(os.path.relpath(os.path.join(folder, name), root) for name in names)
    return {name for name in found if not name.startswith(("var/", "tmp/", "proc/", "sys/", "run/"))}


def test_install_use_and_remove(fresh):
    root, run = fresh
    subprocess.run(["make", "-j2", "deb"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    package = max(glob.glob(os.path.join(ROOT, "build", "sluice_*.deb")), key=os.path.getmtime)
    complaints = subprocess.run(["lintian", "--allow-root", "--fail-on", "error", package], capture_output=True, text=True, check=False)
    assert complaints.returncode == 0, complaints.stdout
    shutil.copy(package, root / "tmp/sluice.deb")
    shutil.copy(EXAMPLE, root / "tmp/example.pcap")

    update = run("apt-get update")
    assert update.returncode == 0, update.stderr
    depends = run("dpkg-deb -f /tmp/sluice.deb Depends Recommends").stdout
    assert "libluajit" in depends and "gnuplot" in depends
    # What it depends on goes in first, so that the package alone can be taken away again.
    done = run("apt-get install -y --no-install-recommends /tmp/sluice.deb gnuplot-nox && dpkg --purge sluice")
    assert done.returncode == 0, done.stderr
    before = files(root)
    done = run("dpkg -i /tmp/sluice.deb")
    assert done.returncode == 0, done.stderr

    done = run("cd /tmp && sluice --version && sluice report example.pcap -o report.html && sluice summary example.pcap"
               " && sluice geomap example.pcap -o map.svg && dpkg --verify sluice")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    assert "packets" in done.stdout and "<svg" in (root / "tmp/map.svg").read_text()
    page = (root / "tmp/report.html").read_text()
    assert page.startswith("<!DOCTYPE html>") and "48111" in page.replace("\u202f", "").replace(",", "") and page.count("<svg") > 5
    assert "usr/bin/sluice" in files(root) - before

    done = run("dpkg --purge sluice")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert files(root) - before == set()
