#!/bin/sh
# Unpacks Debian packages below .cache/debian, for tests that need a program which is not installed: tools/debian-package.sh etcd-server.
# Nothing is installed. What is there already is kept. Ends with a status other than 0 when there is no way to get a package.
set -eu
cd "$(dirname "$0")/.."

for name in "$@"; do
  target=.cache/debian/$name
  [ -d "$target" ] && continue
  mkdir -p .cache/debian
  work=$(mktemp -d .cache/debian/fetch.XXXXXX)
  (
    cd "$work"
    apt-get download -qq "$name" 2>fetch.log || { apt-get update -qq && apt-get download -qq "$name"; } 2>>fetch.log || { cat fetch.log >&2; exit 1; }
    dpkg-deb -x ./*.deb unpacked
  ) || { rm -rf "$work"; echo "debian-package: $name cannot be had" >&2; exit 1; }
  mv "$work/unpacked" "$target"
  rm -rf "$work"
done
