"""Whether the locked packages have known faults (python -m scripts.audit).

A service that does not know an old, famously faulty release knows nothing, and then nothing is said: a list of no faults
from it would only look like an audit. Exit status 1 when there are faults, or when AUDIT_NEEDED is set and none could be
looked for.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-sbom.lock")
KNOWN_FAULTY = "jinja2==2.10"
_TOOL = Path(sys.executable).with_name("pip-audit")


def audited(requirements: Path) -> dict[str, Any] | None:
    """What pip-audit tells of the packages in a file; None when it could not find out."""
    command = [str(_TOOL), "--requirement", str(requirements), "--disable-pip", "--no-deps", "--strict"]
    command += ["--format", "json", "--progress-spinner", "off", "--timeout", "10"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own tool
    try:
        found: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        return None
    return found


def faults(found: dict[str, Any]) -> list[str]:
    """Each package with a known fault, with the faults' names and where they are mended."""
    return [
        f"{one['name']} {one['version']}: {fault['id']}, mended in {', '.join(fault['fix_versions']) or 'no version'}"
        for one in found["dependencies"]
        for fault in one.get("vulns", ())
    ]


def main() -> int:
    """The exit status."""
    with tempfile.TemporaryDirectory() as folder:
        probe = Path(folder) / "known.txt"
        probe.write_text(KNOWN_FAULTY + "\n")
        known = audited(probe)
    told = [audited(ROOT / lock) for lock in LOCKS] if known is not None and faults(known) else [None]
    if any(one is None for one in told):
        print("NOT AUDITED: no service that knows of faulty packages can be reached from here", file=sys.stderr)
        return 1 if os.environ.get("AUDIT_NEEDED") else 0
    found = sorted({fault for one in told if one is not None for fault in faults(one)})
    print("\n".join(found) or f"no known faults in what {', '.join(LOCKS)} lock")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
