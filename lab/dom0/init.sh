#!/bin/bash
# PID 1 of dom0: starts what Xen needs, runs the command in /scratch/in, keeps what it left in /scratch/out, powers off.
export PATH=/opt/xr/bin:/opt/xr/lab/dom0/bin:/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin HOME=/root LANG=C TERM=dumb PYTHONDONTWRITEBYTECODE=1
uptime() { cut -d' ' -f1 /proc/uptime; }
say() { echo "LAB> $(uptime) $*"; }

mount -t tmpfs run /run
mkdir -p /run/xen /run/xenstored /run/lock /dev/pts /dev/shm /scratch/out /var/lib/xen
mount -t devpts pts /dev/pts; mount -t tmpfs tmp /tmp; mount -t tmpfs shm /dev/shm
for module in xen-evtchn xen-gntdev xen-gntalloc xen-privcmd xenfs xen-blkback xen-netback bridge tun loop; do modprobe "$module" || say "no module $module"; done
mount -t xenfs xenfs /proc/xen
ln -s /proc/self/fd /dev/fd
ip link set lo up
ulimit -c 0

export XEN_BIN PYTHONPATH
XEN_BIN=$(echo /usr/lib/xen-4.*/bin)
PYTHONPATH=${XEN_BIN%/bin}/lib/python
"$XEN_BIN/xenstored" --pid-file /run/xen/xenstored.pid
for _ in $(seq 100); do xenstore-read / >/dev/null 2>&1 && break; sleep 0.1; done
"$XEN_BIN/xen-init-dom0" && "$XEN_BIN/xenconsoled" --pid-file=/run/xen/xenconsoled.pid --log=guest || say 'the toolstack did not start'

cd /scratch/out || exit 1
mapfile -d '' -t command < /scratch/in/command
say "begin ${command[*]}"
timeout -k 10 "$(cat /scratch/in/seconds)" "${command[@]}" > >(tee /scratch/out/job.log) 2>&1
echo $? > /scratch/out/job.status
sleep 0.2
say "end $(cat /scratch/out/job.status)"

cp -r /var/log/xen /scratch/out/log-xen
xl dmesg > /scratch/out/xl-dmesg.txt 2>&1
dmesg > /scratch/out/dom0-dmesg.txt
cd /
sync; umount /scratch || mount -o remount,ro /scratch
sync; busybox poweroff -f
