#!/bin/bash
# xr and xl on guests of a real Xen, in dom0: each saves what the other restores, and moves guests to the other.
# usage: xr-on-xen.sh [hvm|pvh|pv ...]; prints a line a step, and exits with how many failed
set -u
failed=0
here=$(mktemp -d /tmp/xr-on-xen.XXXXXX); trap 'rm -rf "$here"' EXIT
wanted=("$@"); [ $# -gt 0 ] || wanted=(hvm pvh pv)

make() { # kind
  local n=g-$1
  if [ "$1" = hvm ]; then
    cp /scratch/in/boot.img /tmp/$n.img
    printf 'name="%s"\ntype="hvm"\nmemory=16\nvcpus=1\nvideoram=0\ndisk=["format=raw,vdev=hda,access=rw,backendtype=qdisk,target=/tmp/%s.img"]\nvga="none"\nnographic=1\nvnc=0\non_crash="preserve"\n' "$n" "$n" > "$here/$n.cfg"
  else
    printf 'name="%s"\ntype="%s"\nmemory=96\nvcpus=1\nkernel="/guest/vmlinux"\nramdisk="/guest/first.gz"\nextra="console=hvc0 quiet mitigations=off"\non_crash="preserve"\n' "$n" "$1" > "$here/$n.cfg"
  fi
  xl create "$here/$n.cfg" > "$here/create.log" 2>&1 || cat "$here/create.log"
  sleep 8
}
runs() { # name: there, neither suspended nor paused nor crashed, and using its CPU, of which xl tells tenths of a second
  local id a; id=$(xl domid "$1" 2>/dev/null) || return 1
  a=$(xl list "$id" | awk 'NR==2{print $6}'); case $(xl list "$id" | awk 'NR==2{print $5}') in *p*|*s*|*c*|*d*) return 1;; esac
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    sleep 2; [ "$a" != "$(xl list "$id" | awk 'NR==2{print $6}')" ] && return
  done
  return 1
}
gone() { ! xl domid "$1" > /dev/null 2>&1; }
step() { # what, then a command
  local what=$1 t0=$(date +%s.%N); shift
  if "$@" > "$here/step.log" 2>&1; then echo "ok      $what ($(awk -v a=$t0 -v b=$(date +%s.%N) 'BEGIN{printf "%.1f",b-a}') s)"
  else echo "FAILED  $what: $*"; tail -4 "$here/step.log"; failed=$((failed + 1)); fi
}

for kind in "${wanted[@]}"; do
  g=g-$kind; f=$here/$kind
  make "$kind"
  step "$kind: xr list shows it" sh -c "xr list | grep -q '$g'"
  step "$kind: xr save -c" xr save -c $g "$f.c"; step "$kind: it runs on" runs $g
  step "$kind: verify-stream-v2 accepts it" "$XEN_BIN/verify-stream-v2" -f xl -i "$f.c"
  step "$kind: xr save" xr save $g "$f.xr"; step "$kind: it is gone" gone $g
  step "$kind: xl restore of it" xl restore "$f.xr"; step "$kind: it runs" runs $g
  step "$kind: xl save" xl save $g "$f.xl"
  step "$kind: xr restore of it" xr restore "$f.xl"; step "$kind: it runs" runs $g
  if [ "$kind" = pv ]; then how=--stopped; else how=--live; fi
  step "$kind: xr migrate to xl" xr migrate $how --peer xl $g "exec:xl migrate-receive"; step "$kind: it runs" runs $g
  if [ "$kind" != pv ]; then step "$kind: xl migrate to xr" xl migrate -s '' $g "xr receive --xl"; step "$kind: it runs" runs $g; fi
  step "$kind: xr migrate to xr, in xl's words" xr migrate $how --peer xl $g "exec:xr receive --xl"; step "$kind: it runs" runs $g
  step "$kind: an image that is cut is refused" sh -c "head -c 400000 '$f.xr' > '$f.cut'; ! xr restore '$f.cut'"
  step "$kind: xr destroy" xr destroy $g; step "$kind: it is gone" gone $g
done
step "nothing is left of it" sh -c '! ls -d /var/run/xen/xr-* /var/run/xen/suspend-evtchn-*'
echo "$failed steps failed"
exit "$failed"
