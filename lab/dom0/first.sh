#!/bin/sh
# First program of dom0, in its RAM disk: finds the three disks and hands over.
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
for module in $(cat /modules/order); do insmod "/modules/$module" || echo "lab: insmod $module failed"; done
tries=0
while [ ! -b /dev/vdc ] && [ $tries -lt 50 ]; do sleep 0.2; tries=$((tries + 1)); done
mount -t ext4 -o rw,noatime /dev/vda /root &&
mount -t ext4 -o rw,noatime /dev/vdb /root/opt/xr &&
mount -t ext4 -o rw,noatime /dev/vdc /root/scratch || { echo 'lab: the disks do not mount'; exit 1; }
for dir in proc sys dev; do mount --move /$dir /root/$dir; done
exec switch_root /root /bin/bash /opt/xr/lab/dom0/init.sh
