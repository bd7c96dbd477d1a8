#!/bin/bash
# What the reader of a guide has installed: package.sh ROOT
set -eu -o pipefail
deb=$(find bin -name "ocspcgi_*_$(dpkg --print-architecture).deb" -printf '%T@ %p\n' | sort -n | tail -n 1)
dpkg --root="$1" -i "${deb#* }"
install -m 0755 bin/ocspcgi-pkcs11 "$1/usr/local/bin/"
cp -a bin/openssl35 "$1/opt/" # of Debian 13, for who asks for it
