#!/bin/busybox sh
# What udhcpc calls: sets the address, and notes who the boot server is.

case $1 in
deconfig) ip -4 addr flush dev "$interface" ;;
bound | renew)
    ip addr add "$ip/${mask:-24}" broadcast + dev "$interface"
    for gateway in $router; do
        ip route add default via "$gateway" dev "$interface" && break
    done
    : >/etc/resolv.conf
    for server in $dns; do echo "nameserver $server" >>/etc/resolv.conf; done
    if [ "${siaddr:-0.0.0.0}" = 0.0.0.0 ]; then siaddr=$serverid; fi
    mkdir -p /run/ockle
    echo "$siaddr" >/run/ockle/master
    if [ -n "$hostname" ]; then hostname "$hostname"; fi
    ;;
esac
exit 0
