# What init and hello.sh share: settings, and words to the console and to the boot server.
# OCKLE_SETTINGS, OCKLE_RUN and OCKLE_TABLE are for trials outside of an initramfs.

run=${OCKLE_RUN:-/run/ockle}
table_file=${OCKLE_TABLE:-/etc/ockle/table}
new_root=${OCKLE_ROOT:-/new_root}
mounts=/proc/mounts
newline='
'
return_sign=$(printf '\r')

# Reads the settings last, so that they may also replace a function.
. "${OCKLE_LIB:-/lib/ockle}/disk.sh"
. "${OCKLE_LIB:-/lib/ockle}/fetch.sh"
. "${OCKLE_SETTINGS:-/etc/ockle/settings}"

# Writes a line to the console.
note() {
    printf 'ockle: %s\n' "$*" >&2
}

# Says a line to the boot server; fails when the connection is gone. The pause keeps lines in packets of their own:
# some servers take a packet for a line.
say() {
    note "> $*"
    printf '%s\n' "$*" 2>/dev/null || return 1
    usleep 100000
}

# Tells why it cannot go on.
fail() {
    say "FAILED $*"
    return 1
}

# Waits for a command of the boot server at most so many seconds between two lines; it is then in $heard.
# Fails when none came, or the connection is gone.
hear() {
    heard=
    while read -r -t "$1" line; do
        line=${line%"$return_sign"}
        if [ "$line" = EOM ]; then
            note "< $heard"
            return 0
        fi
        heard=${heard:+$heard$newline}$line
    done
    return 1
}

# Prints the value of a word NAME=VALUE of the kernel's command line.
kernel_option() {
    tr ' ' '\n' <"${OCKLE_CMDLINE:-/proc/cmdline}" | sed -n "s/^$1=//p" | sed -n '$p'
}
