#!/bin/bash
# What the reader of README has installed: source.sh ROOT
set -eu
make -s install DESTDIR="$1"
