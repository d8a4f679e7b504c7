#!/bin/sh
# Runs net-buffer.mjs on Debian's user-mode-linux, a kernel that runs as a process on the files of this host, read-only. Build first, and unpack it:
# tools/debian-package.sh user-mode-linux busybox-static. Ends with status 0 when all checks passed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
debian=$here/../../../.cache/debian
modules=$(echo "$debian"/user-mode-linux/usr/lib/uml/modules/*/kernel)

if [ $$ != 1 ]; then
	log=$(mktemp)
	trap 'rm -f "$log"' EXIT
	timeout 600 "$debian/user-mode-linux/usr/bin/linux.uml" mem=900M rootfstype=hostfs ro init="$here/user-mode-linux.sh" con=null con0=null,fd:1 con1=null ssl=null quiet </dev/null | tee "$log"
	grep -q '^checks ended with status 0' "$log"
	exit
fi

# from here on as the first process of that kernel
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
busybox=$(echo "$debian"/busybox-static/*bin/busybox)
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run
for module in lib/crc-ccitt net/ipv6/ipv6 net/llc/llc net/802/stp net/bridge/bridge drivers/net/veth drivers/net/ifb net/sched/sch_ingress net/sched/act_mirred net/sched/cls_u32 net/sched/sch_plug; do
	"$busybox" insmod "$modules/$module.ko" || echo "$module is not there"
done
ip link set lo up
status=0
node "$here/net-buffer.mjs" || status=$?
echo "checks ended with status $status"
"$busybox" poweroff -f
