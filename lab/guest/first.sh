#!/bin/sh
# First and only program of a Linux guest: counts on its console and writes DIRTY KiB of its memory at every TICK seconds.
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev 2>/dev/null; mount -t tmpfs work /work
dirty=64 tick=0.2
for word in $(cat /proc/cmdline); do case $word in dirty=*) dirty=${word#dirty=};; tick=*) tick=${word#tick=};; esac; done
count=0
while :; do
  count=$((count + 1))
  dd if=/dev/urandom of=/work/written bs=1024 count="$dirty" conv=notrunc 2>/dev/null
  echo "COUNT $count"
  sleep "$tick"
done
