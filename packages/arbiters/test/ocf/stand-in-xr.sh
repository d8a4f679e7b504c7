#!/bin/sh
# What the agent for Pacemaker sees of xr on one of two hosts: guests and operations as files in $STAND_IN, whose peer always plays along.
# here: the guest runs. held: a copy of it is held while standing by. refused: the arbiter says no. standing: nobody could say who may run it. lost: the primary of the copy is lost. no-peer: nobody stands by there.
cd "$STAND_IN" || exit 1
echo "$*" >>calls
[ ! -e broken ] || exit 1
alive() { [ -e "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null; }
until_told() {
	echo $$ >"$1"
	trap 'rm -f "$1"; exit 8' TERM
	while [ ! -e "$2" ]; do sleep 0.05; done
	rm -f "$1" "$2"
}
case $1 in
list)
	domains=
	[ ! -e here ] || domains='{"id":1,"name":"web","state":"running"}'
	[ ! -e held ] || ! alive receive || domains='{"id":2,"name":"web","state":"paused"}'
	echo "{\"schema\":\"xr.list/1\",\"domains\":[$domains]}"
	;;
status)
	operations=
	if alive receive; then
		[ -e held ] && guest='"guest":"web",' || guest=
		[ -e lost ] && state=standing || state=holding
		operations="{\"verb\":\"receive\",${guest}\"pid\":$(cat receive),\"url\":\"tcp://0.0.0.0:9000\",\"progress\":{\"strategy\":{\"role\":\"secondary\",\"state\":\"$state\"}}}"
	fi
	if alive remus; then
		[ -e standing ] && state=standing || state=waiting
		operations="{\"verb\":\"remus\",\"guest\":\"web\",\"pid\":$(cat remus),\"url\":\"tcp://peer:9000\",\"progress\":{\"strategy\":{\"role\":\"primary\",\"state\":\"$state\"}}}"
	fi
	echo "{\"schema\":\"xr.status/1\",\"operations\":[$operations]}"
	;;
receive)
	[ ! -e deaf ] || { echo "xr: LINK_REFUSED: the port is taken" >&2; exit 1; }
	until_told receive taken && touch here
	;;
remus)
	[ ! -e no-peer ] || { echo "xr: LINK_REFUSED: nobody answers" >&2; exit 5; }
	until_told remus handed && rm -f here
	;;
failover)
	[ ! -e refused ] || exit 6
	if [ -e standing ]; then
		rm standing
		kill "$(cat remus)"
		while [ -e remus ]; do sleep 0.05; done
	elif alive remus; then
		touch handed
		while [ -e here ] || [ -e remus ]; do sleep 0.05; done
	elif alive receive && [ -e held ]; then
		touch taken
		while [ ! -e here ] || [ -e receive ]; do sleep 0.05; done
	else exit 1; fi
	;;
abort) alive remus && kill "$(cat remus)" && while [ -e remus ]; do sleep 0.05; done ;;
*) exit 2 ;;
esac
