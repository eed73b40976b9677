#!/bin/sh
# Installs the service into a virtual environment: install.sh WHEEL [FOLDER]
set -eu
wheel=$1
place=${2:-/opt/assay}
python=${PYTHON:-python3}

"$python" -m venv "$place"
"$place/bin/python" -m pip install --quiet --disable-pip-version-check "$wheel[serve,sql]"
"$place/bin/assay" --version
