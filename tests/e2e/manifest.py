"""Kubernetes manifests for tests: whether they are to their schema, and what their containers run."""
import json
import os
import re
import subprocess

import yaml

from support import ROOT

MODULES = os.path.join(ROOT, "build", "npm", "node_modules")
# Of Kubernetes' OpenAPI document, as the npm package kubernetes-models ships them.
SCHEMAS = {"Job": "IoK8sApiBatchV1Job", "ConfigMap": "IoK8sApiCoreV1ConfigMap"}

# They hold types and what is required, but let fields pass that nobody knows: an object that takes note of what it is
# asked for finds those.
CHECK = """
const { validate } = require(process.argv[1] + "/kubernetes-models/_schemas/" + process.argv[2] + ".js");
const seen = [];
function watched(value, path) {
  if (value === null || typeof value !== "object") return value;
  const copy = Array.isArray(value) ? [] : {}, asked = new Set();
  for (const key of Object.keys(value)) copy[key] = watched(value[key], path + "/" + key);
  if (Array.isArray(value)) return copy;
  seen.push({ path, asked, keys: Object.keys(value) });
  return new Proxy(copy, { get(object, key) { asked.add(key); return object[key]; } });
}
validate(watched(JSON.parse(require("fs").readFileSync(0)), ""));
const said = (validate.errors || []).map((error) => error.instancePath + ": " + error.keyword + " " + JSON.stringify(error.params));
for (const { path, asked, keys } of seen)
  for (const key of keys) if (!asked.has(key)) said.push(path + "/" + key + ": unknown");
console.log(JSON.stringify(said));
"""


def absent():
    """Why no schema can be checked here, or None."""
    there = os.path.exists(os.path.join(MODULES, "kubernetes-models"))
    return None if there else "kubernetes-models is not in build/npm: scripts/install-npm.sh"


def complaints(thing):
    """What the schema of its kind says against an object."""
    done = subprocess.run(["node", "-e", CHECK, MODULES, SCHEMAS[thing["kind"]]], input=json.dumps(thing), text=True,
                          capture_output=True, check=True)
    return json.loads(done.stdout)


def read(text):
    """The objects of a manifest by kind and name."""
    return {(thing["kind"], thing["metadata"]["name"]): thing for thing in yaml.safe_load_all(text)}


def container_of(job):
    (container,) = job["spec"]["template"]["spec"]["containers"]
    return container


def command_of(job, places, variables):
    """A container's command as Kubernetes expands it, with other places for its mounts."""
    def expand(match):
        return "$" if match[0] == "$$" else variables.get(match[1], match[0])

    words = [re.sub(r"\$\$|\$\((\w+)\)", expand, word) for word in container_of(job)["command"]]
    for mount, place in places.items():
        words = [re.sub(r"(?<!\w)" + mount + r"(?=/)", str(place), word) for word in words]
    return words
