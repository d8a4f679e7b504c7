#!/bin/sh
# First and only program of a Linux guest: counts on its console and writes DIRTY KiB of its memory at every TICK seconds. With NET, its address, it
# also counts over one connection to port 7000 of TO.
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev 2>/dev/null; mount -t tmpfs work /work
dirty=64 tick=0.2 net= to=
for word in $(cat /proc/cmdline); do case $word in dirty=*) dirty=${word#dirty=};; tick=*) tick=${word#tick=};; net=*) net=${word#net=};; to=*) to=${word#to=};; esac; done
if [ -n "$net" ]; then
  for module in $(cat /modules/order); do insmod "/modules/$module"; done
  until ip link set eth0 up 2>/dev/null; do sleep 0.2; done
  ip addr add "$net" dev eth0
  trap '' PIPE
  mkfifo /work/sent; nc "$to" 7000 < /work/sent & exec 3> /work/sent
fi
count=0
while :; do
  count=$((count + 1))
  dd if=/dev/urandom of=/work/written bs=1024 count="$dirty" conv=notrunc 2>/dev/null
  echo "COUNT $count"
  [ -z "$net" ] || echo "$count" >&3
  sleep "$tick"
done
