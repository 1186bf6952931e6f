# The disk: which one, whether a system is on it, and how it is made anew.

# Sets $disk and $root_device. Fails, having told why, when no disk that the settings name is there.
find_disk() {
    wanted=$(kernel_option ockle.device)
    names=$devices
    if [ -n "$wanted" ]; then
        case " $devices " in
        *" $wanted "*) names=$wanted ;;
        *) fail "$wanted is not among the disks that the initramfs may use: $devices"; return 1 ;;
        esac
    fi
    left=${disk_wait:-20}
    while :; do
        for disk in $names; do
            if [ -b "$disk" ] || [ -f "$disk" ]; then
                root_device=$(partition_of "$disk" "$root_number")
                return 0
            fi
        done
        [ "$left" -gt 0 ] || break
        left=$((left - 1))
        sleep 1
    done
    disk=
    fail "there is no disk $names"
}

# Prints the name of a partition; without a number, that of the disk.
partition_of() {
    case $2:$1 in
    :*) printf '%s' "$1" ;;
    *[0-9]) printf '%sp%s' "$1" "$2" ;;
    *) printf '%s%s' "$1" "$2" ;;
    esac
}

# Mounts the root file system on $new_root.
mount_root() {
    mkdir -p "$new_root"
    mount -t "$filesystem" ${1:+-o "$1"} "$root_device" "$new_root"
}

unmount_root() {
    if grep_mounts " $new_root "; then umount "$new_root"; fi
}

# Tells whether a line of the mounts has this text in it.
grep_mounts() {
    while read -r line; do
        case $line in *"$1"*) return 0 ;; esac
    done <"$mounts"
    return 1
}

# Unmounts the root file system, and prints "installed", "uninstalled", or "unreadable": a file system is there, and it cannot be mounted.
look_for_system() {
    unmount_root
    if ! [ -e "$root_device" ]; then
        printf uninstalled
    elif mount_root ro 2>/dev/null; then
        if { [ -d "$new_root/bin" ] || [ -L "$new_root/bin" ]; } && ! [ -e "$new_root/.ockle-installing" ]; then
            printf installed
        else
            printf uninstalled
        fi
        unmount_root
    elif [ "$(dd if="$root_device" bs=1 skip=1080 count=2 2>/dev/null | od -An -tx1 | tr -d ' \n')" = 53ef ]; then
        printf unreadable
    else
        printf uninstalled
    fi
}

# Makes partitions and file system, and mounts it. Everything on the disk is lost.
make_disk() {
    if ! unmount_root; then fail "$root_device is mounted and cannot be unmounted"; return 1; fi
    # as the kernel names them: sda, sda1; mmcblk0, mmcblk0p1
    if grep_mounts "$disk" || grep "^$disk" /proc/swaps >/dev/null 2>&1; then fail "$disk is mounted: it is not formatted"; return 1; fi
    for holder in "/sys/class/block/${disk##*/}"/holders/* "/sys/class/block/${disk##*/}"/*/holders/*; do
        if [ -e "$holder" ]; then fail "$disk is used by ${holder##*/}: it is not formatted"; return 1; fi
    done
    if [ "$table" != none ]; then
        /sbin/sfdisk -q --wipe always --wipe-partitions always "$disk" <"$table_file" >&2 || {
            fail "$disk cannot be partitioned"
            return 1
        }
        wait_for "$root_device" || { fail "$root_device did not appear"; return 1; }
    fi
    $mkfs "$root_device" >&2 || { fail "no file system could be made on $root_device"; return 1; }
    mount_root || { fail "$root_device cannot be mounted"; return 1; }
    : >"$new_root/.ockle-installing" || { fail "$root_device cannot be written"; return 1; }
    sync
}

# Waits until a device is there.
wait_for() {
    left=100
    until [ -e "$1" ]; do
        [ "$left" -gt 0 ] || return 1
        left=$((left - 1))
        [ $((left % 20)) -ne 0 ] || mdev -s
        usleep 100000
    done
}
