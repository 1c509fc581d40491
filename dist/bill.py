"""The bill of materials, as CycloneDX: every crate that the program is made of, by Cargo.lock."""

import json
import os
import subprocess
import sys
import uuid
from datetime import datetime, timezone


def crates(target):
    """The packages that the program needs, without what only tests and builds do."""
    told = subprocess.run(
        ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", target],
        check=True, capture_output=True, text=True)
    metadata = json.loads(told.stdout)
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    root = metadata["resolve"]["root"]
    found, waiting = {}, [root]
    while waiting:
        one = waiting.pop()
        if one in found:
            continue
        below = [dep["pkg"] for dep in nodes[one]["deps"] if any(kind["kind"] is None for kind in dep["dep_kinds"])]
        found[one] = sorted(below)
        waiting.extend(below)
    return root, packages, found


def reference(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def component(package):
    told = {
        "type": "library",
        "bom-ref": reference(package),
        "name": package["name"],
        "version": package["version"],
        "purl": reference(package),
    }
    if package.get("license"):
        told["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    return told


def main():
    version, target = sys.argv[1:3]
    root, packages, found = crates(target)
    when = datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), timezone.utc)
    parts = sorted((packages[one] for one in found if one != root), key=reference)
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'keyrack/{version}/' + ' '.join(map(reference, parts)))}",
        "version": 1,
        "metadata": {
            "timestamp": when.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {"type": "application", "bom-ref": "keyrack", "name": "keyrack", "version": version},
        },
        "components": [component(package) for package in parts],
        "dependencies": sorted((
            {
                "ref": "keyrack" if one == root else reference(packages[one]),
                "dependsOn": [reference(packages[dep]) for dep in below],
            } for one, below in found.items()), key=lambda dep: dep["ref"]),
    }
    json.dump(bill, sys.stdout, indent=1)
    print()


main()
