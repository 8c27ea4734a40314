#!/usr/bin/env bash
# rorchestrator - the global command. Put it on your PATH, for example as ~/bin/rorchestrator.
#
#   rorchestrator COMMAND ...             like python3 orchestrate.py COMMAND ...
#   rorchestrator self-update [VERSION]   install the newest version, or VERSION, and switch to it
#
# To uninstall, remove this file and ${XDG_DATA_HOME:-~/.local/share}/rorchestrator.
#
# The first start fetches the tool into ${XDG_DATA_HOME:-~/.local/share}/rorchestrator; later starts
# need no network. All arguments except `self-update` are passed on unchanged.
#
#   RORCHESTRATOR_SOURCE   the source to fetch from: a URL, or the folder of a clone
#   RORCHESTRATOR_HOME     a clone to run directly, without fetching
#   RORCHESTRATOR_PYTHON   the Python interpreter (3.9 or newer)
#
# On disk: versions/vX.Y.Z is one complete version, created by a rename. `current` names the version
# chosen by self-update; without it, the version below is used. Old versions are kept, because a
# long run may still use them. From a source without versions (tags like v1.2.3), HEAD is installed
# as versions/head-COMMIT.
#
# Works with bash 3.2. bash reads a { group } completely before it runs it, so that a partial
# download of this file does nothing. The tool must get the caller's environment, which an
# assignment to an exported variable would change: hence the prefix on every name that exists at
# the exec.
{
ror_version=v1.0.0
ror_public_home=https://github.com/RollandMELET/RoRchestrator.git

fail() { # MESSAGE NEXT-STEP
    printf 'rorchestrator: %s\n  %s\n' "$1" "$2" >&2
    exit 2
}

is_python() {
    "$1" -IS -c 'import sys; sys.exit(sys.version_info < (3, 9))' </dev/null >/dev/null 2>&1
}

find_python() { # sets ror_python
    if [ -n "${RORCHESTRATOR_PYTHON-}" ]; then
        ror_python=$RORCHESTRATOR_PYTHON
        is_python "$ror_python" ||
            fail "RORCHESTRATOR_PYTHON is '$ror_python', which is not Python 3.9 or newer" \
                "set it to the path of such a Python, or unset it"
        return
    fi
    for ror_python in python3 python3.14 python3.13 python3.12 python3.11 python3.10 python3.9 \
        python; do
        if is_python "$ror_python"; then return; fi
    done
    fail "no Python 3.9 or newer on the PATH (python3 is: $(python3 -V 2>&1 || :))" \
        "install Python (brew install python, apt install python3), or set RORCHESTRATOR_PYTHON"
}

need_git() {
    command -v git >/dev/null 2>&1 ||
        fail "git is not on the PATH" \
            "install it (xcode-select --install, apt install git) and try again"
}

find_clone() { # sets ror_home if this script is in a clone, or RORCHESTRATOR_HOME names one
    local self=${BASH_SOURCE[0]-} link
    ror_home=
    if [ -n "${RORCHESTRATOR_HOME-}" ]; then
        ror_home=$RORCHESTRATOR_HOME
        [ -f "$ror_home/orchestrate.py" ] ||
            fail "RORCHESTRATOR_HOME is '$ror_home', which has no orchestrate.py" \
                "set it to a clone of RoRchestrator, or unset it"
        return
    fi
    while [ -L "$self" ]; do # older versions of macOS have no readlink -f
        link=$(readlink "$self")
        case $link in
            /*) self=$link ;;
            *) self=$(dirname -- "$self")/$link ;;
        esac
    done
    [ "${self##*/}" = wrapper.sh ] || return 0
    self=$(CDPATH='' cd -- "$(dirname -- "$self")/.." && pwd)
    if [ -f "$self/orchestrate.py" ]; then ror_home=$self; fi
}

find_data() { # sets ror_data and ror_source
    case ${XDG_DATA_HOME-} in
        /*) ror_data=$XDG_DATA_HOME/rorchestrator ;;
        *) # the XDG specification says to ignore a relative path
            [ -n "${HOME-}" ] || fail "HOME is not set" "set HOME, or XDG_DATA_HOME"
            ror_data=$HOME/.local/share/rorchestrator ;;
    esac
    ror_source=${RORCHESTRATOR_SOURCE:-$ror_public_home}
    if [ -d "$ror_source" ]; then ror_source=$(CDPATH='' cd -- "$ror_source" && pwd); fi
}

is_version() {
    local form='^v[0-9]+\.[0-9]+\.[0-9]+([-+][0-9A-Za-z.+-]+)?$'
    [[ $1 =~ $form ]]
}

is_head() { # the HEAD of a source without versions
    local form='^head-[0-9a-f]{40,64}$'
    [[ $1 =~ $form ]]
}

find_chosen() { # sets ror_chosen
    ror_chosen=
    if [ -f "$ror_data/current" ]; then read -r ror_chosen <"$ror_data/current"; fi
    is_version "$ror_chosen" || is_head "$ror_chosen" || ror_chosen=$ror_version
}

# git without the environment of a calling hook, and without the user's hooks and prompts. It runs
# in the background, because bash delays signals while a foreground child runs.
own_git() {
    (
        for name in $(git rev-parse --local-env-vars); do
            # The user's settings (a proxy, for example), which git itself never sets.
            [ "$name" = GIT_CONFIG_COUNT ] || unset "$name"
        done
        unset GIT_QUARANTINE_PATH GIT_NAMESPACE GIT_DEFAULT_HASH
        export GIT_TERMINAL_PROMPT="${GIT_TERMINAL_PROMPT-0}"
        cd -- "$ror_temp" || exit 1
        exec git -c core.hooksPath=/dev/null -c core.autocrlf=false -c gc.auto=0 \
            -c maintenance.auto=false "$@"
    ) </dev/null &
    wait "$!"
}

# shellcheck disable=SC2317,SC2329  # called by the traps; the code depends on the version
interrupted() { # SIGNAL
    local child
    for child in $(jobs -p); do kill "$child" 2>/dev/null; done
    wait
    rm -rf -- "$ror_temp"
    trap - EXIT "$1"
    kill -s "$1" "$$"
}

begin_fetch() { # sets ror_temp, a temporary folder on the same file system as the versions
    local versions=$ror_data/versions
    if ! mkdir -p -- "$versions" || ! ror_temp=$(mktemp -d "$versions/.new-XXXXXX"); then
        fail "cannot write to $versions" \
            "make it writable, or set XDG_DATA_HOME to a writable folder"
    fi
    trap 'rm -rf -- "$ror_temp"' EXIT
    trap 'interrupted INT' INT
    trap 'interrupted TERM' TERM
    trap 'interrupted HUP' HUP
    # Leftovers of killed fetches. One younger than a day may belong to a running fetch.
    find "$versions" -maxdepth 1 -name '.new-*' -mtime +0 -exec rm -rf {} + 2>/dev/null
}

end_fetch() {
    rm -rf -- "$ror_temp"
    trap - EXIT INT TERM HUP
}

unreachable() {
    fail "cannot reach $ror_source" \
        "fetching needs the network: connect and try again, or set RORCHESTRATOR_SOURCE to a clone"
}

install_version() { # VERSION, or head-COMMIT
    local target=$ror_data/versions/$1 ref=refs/tags/$1
    if [ -f "$target/orchestrate.py" ]; then return; fi
    if is_head "$1"; then ref=HEAD; fi
    own_git ls-remote --exit-code -- "$ror_source" "$ref" >/dev/null
    case $? in
        0) ;;
        2) fail "there is no version $1 in $ror_source" \
            "list the versions: git ls-remote --tags '$ror_source'" ;;
        *) unreachable ;;
    esac
    printf 'rorchestrator: fetching %s from %s\n' "$1" "$ror_source" >&2
    if ! own_git init --quiet --template= tool ||
        ! own_git -C tool fetch --quiet --no-tags --depth=1 -- "$ror_source" "$ref" ||
        ! own_git -C tool checkout --quiet --detach FETCH_HEAD; then
        fail "could not fetch $1 from $ror_source" "see git's message above and try again"
    fi
    [ -f "$ror_temp/tool/orchestrate.py" ] ||
        fail "$1 of $ror_source is not RoRchestrator: it has no orchestrate.py" \
            "set RORCHESTRATOR_SOURCE to a clone of it, or unset it"
    # rename(2) instead of mv, which would move into a folder that another start just created.
    "$ror_python" -IS -c 'import os, sys; os.rename(sys.argv[1], sys.argv[2])' \
        "$ror_temp/tool" "$target" 2>/dev/null || [ -f "$target/orchestrate.py" ] ||
        fail "$target is damaged" "remove it and try again: rm -rf '$target'"
}

newest_version() { # sets ror_wanted; versions with a suffix (v2.0.0-rc.1) are only used by name
    list_source
    ror_wanted=v$(sed -n 's,^.*refs/tags/v\([0-9]*\.[0-9]*\.[0-9]*\)$,\1,p' "$ror_temp/refs" |
        sort -t . -k 1,1n -k 2,2n -k 3,3n | tail -n 1)
    if ! is_version "$ror_wanted"; then head_without_versions; fi
}

list_source() { # the source's tags and HEAD
    own_git ls-remote -- "$ror_source" HEAD 'refs/tags/v*' >"$ror_temp/refs" || unreachable
}

head_without_versions() { # sets ror_wanted
    ror_wanted=head-$(sed -n 's,^\([0-9a-f]*\)[[:space:]]HEAD$,\1,p' "$ror_temp/refs")
    is_head "$ror_wanted" ||
        fail "there is neither a version (a tag like $ror_version) nor a commit in $ror_source" \
            "set RORCHESTRATOR_SOURCE to a clone of RoRchestrator, or unset it"
}

has_versions() {
    [ -n "$(sed -n '/refs\/tags\/v[0-9]/p' "$ror_temp/refs")" ]
}

choose() { # VERSION: use it from now on
    if ! printf '%s\n' "$1" >"$ror_temp/current" ||
        ! mv -f -- "$ror_temp/current" "$ror_data/current"; then
        fail "cannot write $ror_data/current" "make it writable and try again"
    fi
}

first_start() { # installs $ror_chosen, or HEAD from a source without versions
    begin_fetch
    list_source
    if is_head "$ror_chosen" || ! has_versions; then
        newest_version
        ror_chosen=$ror_wanted
        install_version "$ror_chosen"
        choose "$ror_chosen"
    else
        install_version "$ror_chosen"
    fi
    end_fetch
}

self_update() { # [VERSION]
    [ -z "$ror_home" ] ||
        fail "self-update works for installed copies only; this one runs from the clone $ror_home" \
            "update the clone: git -C '$ror_home' pull"
    ror_wanted=${1+v${1#v}}
    if [ $# -gt 1 ] || { [ $# -eq 1 ] && ! is_version "$ror_wanted"; }; then
        fail "'$*' is not a version" \
            "usage: rorchestrator self-update [VERSION], for example $ror_version"
    fi
    find_data
    find_chosen
    begin_fetch
    if [ $# -eq 0 ]; then newest_version; fi
    local before='' old=$ror_data/versions/$ror_chosen
    if [ -f "$old/orchestrate.py" ]; then before=$ror_chosen; fi
    install_version "$ror_wanted"
    choose "$ror_wanted"
    end_fetch
    case $before in
        '') printf 'rorchestrator %s is installed\n' "$ror_wanted" ;;
        "$ror_wanted") printf 'rorchestrator %s is already in use\n' "$ror_wanted" ;;
        *) printf 'rorchestrator %s is now in use; %s is kept in %s\n' \
            "$ror_wanted" "$before" "$old" ;;
    esac
}

main() {
    set -u
    need_git
    find_python
    find_clone
    if [ "${1-}" = self-update ]; then
        shift
        self_update "$@"
        exit
    fi
    if [ -z "$ror_home" ]; then
        find_data
        find_chosen
        if [ ! -f "$ror_data/versions/$ror_chosen/orchestrate.py" ]; then first_start; fi
        ror_home=$ror_data/versions/$ror_chosen
    fi
    exec "$ror_python" "$ror_home/orchestrate.py" "$@"
}

main "$@"; exit; }
