#!/usr/bin/env bash
# rorchestrator - the global command. Put this one file on your PATH, as ~/bin/rorchestrator.
#
#   rorchestrator COMMAND ...             the same as: python3 orchestrate.py COMMAND ...
#   rorchestrator self-update [VERSION]   fetch the newest (or that) version and use it from now on
#
# To uninstall it, remove this file and ${XDG_DATA_HOME:-~/.local/share}/rorchestrator.
#
# The first start fetches the tool into ${XDG_DATA_HOME:-~/.local/share}/rorchestrator; later ones
# need no network. Everything but `self-update` is passed on unchanged.
#
#   RORCHESTRATOR_SOURCE   where to fetch from: a URL, or a folder with a clone
#   RORCHESTRATOR_HOME     a clone to run directly; nothing is fetched
#   RORCHESTRATOR_PYTHON   the Python (3.9 or newer) to run it with
#
# On disk: versions/vX.Y.Z is one whole version, put there by a rename; `current` names the one
# that self-update chose; without it the version below counts. Old versions stay, because a run
# that goes on for hours may still be using them. Of a source without any version (a tag like
# v1.2.3) its HEAD is taken, as versions/head-COMMIT.
#
# Works with bash 3.2. bash reads a { group } to its end before it runs any of it, so that half a
# download of this file does nothing. The tool's environment must be the caller's, and assigning
# to an exported variable changes it: hence the prefix on every name that lives until the exec.
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
                "set it to the path of one, or unset it"
        return
    fi
    for ror_python in python3 python3.14 python3.13 python3.12 python3.11 python3.10 python3.9 \
        python; do
        if is_python "$ror_python"; then return; fi
    done
    fail "no Python 3.9 or newer on the PATH (python3 is: $(python3 -V 2>&1 || :))" \
        "install one (brew install python, apt install python3), or set RORCHESTRATOR_PYTHON"
}

need_git() {
    command -v git >/dev/null 2>&1 ||
        fail "git is not on the PATH" \
            "install it (xcode-select --install, apt install git) and try again"
}

find_clone() { # sets ror_home when this script lies in a clone, or RORCHESTRATOR_HOME names one
    local self=${BASH_SOURCE[0]-} link
    ror_home=
    if [ -n "${RORCHESTRATOR_HOME-}" ]; then
        ror_home=$RORCHESTRATOR_HOME
        [ -f "$ror_home/orchestrate.py" ] ||
            fail "RORCHESTRATOR_HOME is '$ror_home', which has no orchestrate.py" \
                "set it to a clone of RoRchestrator, or unset it"
        return
    fi
    while [ -L "$self" ]; do # there is no readlink -f on an older macOS
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
        *) # the specification of XDG says to pass over a relative one
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

# git, whatever hook we are called from, and without the user's own hooks, templates and questions.
# In the background, because bash leaves a signal waiting as long as a foreground child runs.
own_git() {
    (
        for name in $(git rev-parse --local-env-vars); do
            # The one of them that git never sets by itself: the user's settings (a proxy, say).
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

# shellcheck disable=SC2317,SC2329  # called by the traps; which one it is differs by version
interrupted() { # SIGNAL
    local child
    for child in $(jobs -p); do kill "$child" 2>/dev/null; done
    wait
    rm -rf -- "$ror_temp"
    trap - EXIT "$1"
    kill -s "$1" "$$"
}

begin_fetch() { # sets ror_temp, a folder on the same disk as the versions, gone when we are
    local versions=$ror_data/versions
    if ! mkdir -p -- "$versions" || ! ror_temp=$(mktemp -d "$versions/.new-XXXXXX"); then
        fail "cannot write to $versions" \
            "make it writable, or set XDG_DATA_HOME to a folder that is"
    fi
    trap 'rm -rf -- "$ror_temp"' EXIT
    trap 'interrupted INT' INT
    trap 'interrupted TERM' TERM
    trap 'interrupted HUP' HUP
    # What a fetch that was killed left behind: younger than a day, it may be another's at work.
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
            "see which there are: git ls-remote --tags '$ror_source'" ;;
        *) unreachable ;;
    esac
    printf 'rorchestrator: fetching %s from %s\n' "$1" "$ror_source" >&2
    if ! own_git init --quiet --template= tool ||
        ! own_git -C tool fetch --quiet --no-tags --depth=1 -- "$ror_source" "$ref" ||
        ! own_git -C tool checkout --quiet --detach FETCH_HEAD; then
        fail "could not fetch $1 from $ror_source" "see git's message above, and try again"
    fi
    [ -f "$ror_temp/tool/orchestrate.py" ] ||
        fail "$1 of $ror_source is not RoRchestrator: it has no orchestrate.py" \
            "set RORCHESTRATOR_SOURCE to a clone of it, or unset it"
    # rename(2), which mv is not: it would move into a folder that another start has just made.
    "$ror_python" -IS -c 'import os, sys; os.rename(sys.argv[1], sys.argv[2])' \
        "$ror_temp/tool" "$target" 2>/dev/null || [ -f "$target/orchestrate.py" ] ||
        fail "$target is damaged" "remove it and try again: rm -rf '$target'"
}

newest_version() { # sets ror_wanted; versions with a suffix (v2.0.0-rc.1) are taken by name only
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

choose() { # VERSION: the one that counts from now on
    if ! printf '%s\n' "$1" >"$ror_temp/current" ||
        ! mv -f -- "$ror_temp/current" "$ror_data/current"; then
        fail "cannot write $ror_data/current" "make it writable and try again"
    fi
}

first_start() { # installs $ror_chosen; of a source without versions its HEAD
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
        fail "self-update is for an installed copy, and this one runs from the clone $ror_home" \
            "update the clone: git -C '$ror_home' pull"
    ror_wanted=${1+v${1#v}}
    if [ $# -gt 1 ] || { [ $# -eq 1 ] && ! is_version "$ror_wanted"; }; then
        fail "'$*' is not a version" \
            "usage: rorchestrator self-update [VERSION], as in $ror_version"
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
        "$ror_wanted") printf 'rorchestrator %s is in use already\n' "$ror_wanted" ;;
        *) printf 'rorchestrator %s is in use now; %s stays in %s\n' \
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
