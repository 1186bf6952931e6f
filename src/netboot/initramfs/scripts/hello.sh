#!/bin/busybox sh
# Speaks the hello protocol with the boot server: standard input and output are the connection, errors go to the
# console. Ends when it knows what to do; $run/result then says "boot", or nothing: try again.

set -o pipefail
trap '' PIPE
. "${OCKLE_LIB:-/lib/ockle}/common.sh"

obey() {
    case $1 in
    "busybox date -s "*)
        say RECEIVED_DATE
        if date -u -s "${1##* }" >/dev/null 2>&1; then say SET_DATE; fi
        ;;
    format) install_system ;;
    boot) boot_system ;;
    "") ;;
    *) say "does not know how to $1" ;;
    esac
}

introduce() {
    serial=$(tr -d '\0' 2>/dev/null </proc/device-tree/serial-number || cat /sys/class/dmi/id/product_serial 2>/dev/null)
    kind=$(tr -d '\0' 2>/dev/null </proc/device-tree/model || cat /sys/class/dmi/id/product_name 2>/dev/null)
    say "BOARD arch=$(uname -m) ${serial:+serial=$(printf %s "$serial" | tr ' ' _) }kind=$kind"
}

install_system() {
    say RECEIVED_FORMAT
    say FORMATTING
    rm -f "$run/installed"
    make_disk || return 1
    say "FINISHED FORMATTING"
    load_image || return 1
    if ! [ -e "$new_root/sbin/init" ] && ! [ -L "$new_root/sbin/init" ]; then
        fail "the root file system has no /sbin/init"
        return 1
    fi
    rm -f "$new_root/.ockle-installing"
    sync
    printf '%s\n' "$sum" >"$run/installed"
    tell_installed
}

# Tells what was installed, again after the connection was lost; then the board boots.
tell_installed() {
    read -r sum <"$run/installed"
    if [ -n "$sum" ]; then say "VERIFIED $sum" || return 1; fi
    say IS_FORMATTED || return 1
    say RECEIVED_BOOT
    rm -f "$run/installed"
    echo boot >"$run/result"
    exit 0
}

boot_system() {
    say MOUNTING
    if ! unmount_root || ! mount_root; then
        fail "$root_device cannot be mounted"
        return 1
    fi
    if ! [ -e "$new_root/sbin/init" ] && ! [ -L "$new_root/sbin/init" ]; then
        unmount_root
        fail "the root file system has no /sbin/init"
        return 1
    fi
    say FINISHED_MOUNTING
    say RECEIVED_BOOT
    echo boot >"$run/result"
    exit 0
}

# Takes in what was not read yet: closing over it would take back what was said last.
give_up() {
    hear 1
    exit 1
}

mkdir -p "$run"
rm -f "$run/result"
if [ -n "$token" ]; then printf 'TOKEN %s\n' "$token"; fi # not with say: the console shall not show it
introduce
find_disk || give_up
if [ -e "$run/installed" ]; then
    tell_installed
    give_up
fi
case $(look_for_system) in
installed) say IS_INSTALLED ;;
uninstalled) say IS_UNINSTALLED ;;
unreadable)
    say "WARNING $root_device has a file system that cannot be mounted; it is only formatted when that is wanted"
    say IS_INSTALLED
    ;;
esac
while hear 120; do
    obey "$heard" || give_up
done
note "the boot server says nothing"
exit 1
