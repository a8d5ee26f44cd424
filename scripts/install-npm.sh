#!/bin/bash
# Puts what the tests use into build/npm: Azurite and s3rver, the emulators of Azure's blob storage and of S3
# that they fetch from, and kubernetes-models, whose schemas they hold manifests against. Nothing of
# them is part of sluice. Silent when they are there.
set -euo pipefail

# The last version that runs on the Node 18 of Debian 12 (3.36 wants 21).
azurite=3.35.0
s3rver=3.7.1
kubernetes_models=4.5.1

cd "$(dirname "$0")/.."
stamp=build/npm/azurite-$azurite-s3rver-$s3rver-kubernetes-models-$kubernetes_models
[ -e "$stamp" ] && exit 0
echo "Installing azurite $azurite, s3rver $s3rver and kubernetes-models $kubernetes_models from npm into build/npm"
mkdir -p build/npm
npm install --prefix build/npm --no-save --no-audit --no-fund --loglevel=error \
    --ignore-scripts "azurite@$azurite" "s3rver@$s3rver" "kubernetes-models@$kubernetes_models" >build/npm/log 2>&1 || {
    cat build/npm/log >&2
    exit 1
}
touch "$stamp"
