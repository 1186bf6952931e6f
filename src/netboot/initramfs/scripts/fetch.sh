# The root file system: loaded, resumed, verified, unpacked into $new_root.

image=$new_root/.ockle-image

# Asks the boot server what to load. Sets $name, $size, $sum and $port; $sum is empty for a server that does not know
# the question: it gives the file to whoever connects to $root_port.
ask_image() {
    sum=
    say IMAGE || return 1
    answer_s=${answer_wait:-5}
    while hear "$answer_s"; do
        case $heard in
        "image "*)
            set -- $heard
            name=$2 size=$3 sum=$4 port=$5
            return 0
            ;;
        "wait") answer_s=600 ;;
        "noimage "*) fail "the boot server has no root file system: ${heard#noimage }"; return 1 ;;
        *) obey "$heard" ;;
        esac
    done
    [ "$answer_s" -lt 600 ] || fail "the boot server does not say what to load"
}

# Loads and unpacks.
load_image() {
    ask_image || return 1
    if [ -z "$sum" ]; then
        note "the boot server tells no checksum"
        load_plain
        return
    fi
    fetch || return 1
    if [ "$(sha256sum <"$image" | cut -d ' ' -f 1)" != "$sum" ]; then
        rm -f "$image"
        fail "$name: the checksum is wrong"
        return 1
    fi
    case $name in
    *.gz | *.tgz) gunzip -c "$image" | unpack ;;
    *.xz | *.txz) unxz -c "$image" | unpack ;;
    *) unpack <"$image" ;;
    esac || { fail "$name cannot be unpacked"; return 1; }
    rm -f "$image"
}

load_plain() {
    nc -w 30 "$master" "$root_port" </dev/null | gunzip | unpack || fail "the root file system did not come whole"
}

unpack() {
    # what follows the end of the archive is taken, too: else who writes it would fail
    tar -xpf - -C "$new_root" >&2 && cat >/dev/null
}

# Loads $image, going on where it was cut off. Gives up after $fetch_tries tries that brought nothing.
fetch() {
    idle=0
    while [ "$(size_of "$image")" -lt "$size" ]; do
        before=$(size_of "$image")
        fetch_once
        if [ "$(size_of "$image")" -gt "$before" ]; then
            idle=0
            continue
        fi
        idle=$((idle + 1))
        if [ "$idle" -ge "${fetch_tries:-60}" ]; then fail "$name cannot be loaded from $master:$port"; return 1; fi
        sleep "${fetch_pause:-5}"
        ask_again
    done
}

# Loads until the end or a fault; stops what brings nothing for $fetch_stall seconds.
fetch_once() {
    wget -q -c -O "$image" ${token:+--header "Authorization: Bearer $token"} "http://$master:$port/$sum" \
        </dev/null >&2 &
    loader=$!
    stop_when_idle "$loader" </dev/null >&2 &
    watcher=$!
    wait "$loader"
    kill "$watcher" 2>/dev/null
    wait "$watcher" 2>/dev/null
}

stop_when_idle() {
    still=0
    while [ "$still" -lt "${fetch_stall:-30}" ]; do
        seen=$(size_of "$image")
        sleep 1
        if [ "$(size_of "$image")" -gt "$seen" ]; then still=0; else still=$((still + 1)); fi
    done
    note "nothing comes any more"
    kill "$1"
}

# The file may be another one by now.
ask_again() {
    old=$sum
    ask_image 2>/dev/null || :
    if [ -z "$sum" ]; then
        sum=$old
    elif [ "$sum" != "$old" ]; then
        note "the root file system is another one now"
        rm -f "$image"
    fi
}

size_of() {
    if [ -e "$1" ]; then stat -c %s "$1"; else printf 0; fi
}
