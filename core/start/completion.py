"""Scripts that complete the command in bash, zsh and fish.

Each asks the program itself, by ``rorchestrator __complete SHELL WORD…``, so that it fits every
version and list. An answer is a line for each candidate, with a tab before its meaning; the line
``FILES`` stands for file names.
"""

from __future__ import annotations

from collections.abc import Sequence

FILES = ":files"

# bash itself splits words at = and : and completes only the last part. bash 3.2 has no compopt.
BASH = r"""# Completion of rorchestrator for bash.
_rorchestrator() {
    local line word files='' current=$2 last=${COMP_WORDS[COMP_CWORD]}
    local values=() words=("${COMP_WORDS[@]:1:COMP_CWORD}")
    # Only what is before the cursor counts.
    if [[ -n $current || $last != [=:]* ]]; then
        words[COMP_CWORD-1]=$current
    fi
    while IFS= read -r line; do
        if [[ $line == :files ]]; then
            files=yes
        else
            values+=("${line%%$'\t'*}")
        fi
    done < <(command rorchestrator __complete bash "${words[@]}" 2>/dev/null </dev/null)
    COMPREPLY=()
    for word in "${values[@]}"; do
        if [[ $last != [\"\']* ]]; then
            printf -v word %q "$word"
        fi
        COMPREPLY+=("$word")
    done
    if [[ -n $files ]]; then
        if type compopt >/dev/null 2>&1; then
            compopt -o default
        else
            while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$current")
        fi
    fi
}
complete -F _rorchestrator rorchestrator
"""

ZSH = r"""#compdef rorchestrator
# Completion of rorchestrator for zsh.
_rorchestrator() {
    local line value files=0
    local -a found
    while IFS= read -r line; do
        if [[ $line == :files ]]; then
            files=1
            continue
        fi
        value=${${line%%$'\t'*}//:/\\:}
        if [[ $line == *$'\t'* ]]; then
            value+=:${line#*$'\t'}
        fi
        found+=("$value")
    done < <(command rorchestrator __complete zsh "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" \
        2>/dev/null </dev/null)
    if (( files )); then
        [[ $PREFIX == -*=* ]] && compset -P 1 '*='
        _files
    elif (( $#found )); then
        _describe -V rorchestrator found
    fi
}
if [[ $funcstack[1] == _rorchestrator ]]; then
    _rorchestrator "$@"
else
    compdef _rorchestrator rorchestrator
fi
"""

FISH = r"""# Completion of rorchestrator for fish.
function __rorchestrator_complete
    set -l before (commandline -opc)
    set -e before[1]
    set -l current (commandline -ct | string replace -r -- '^["\']' '' | string unescape)
    for line in (command rorchestrator __complete fish $before "$current" 2>/dev/null </dev/null)
        if test "$line" != :files
            echo -- $line
        else if string match -q -- '-*=*' "$current"
            set -l option (string replace -r -- '=.*' '=' "$current")
            for path in (__fish_complete_path (string replace -r -- '^[^=]*=' '' "$current"))
                echo -- $option$path
            end
        else
            __fish_complete_path "$current"
        end
    end
end
complete -c rorchestrator -f -a '(__rorchestrator_complete)'
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}
"""The script of each shell."""


def whole_words(shell: str, words: Sequence[str]) -> list[str]:
    """The words as typed: bash splits them at ``=`` and ``:``, and keeps their quotes."""
    if shell != "bash":
        return list(words)
    made: list[str] = []
    joins = False
    for word in words:
        is_mark = word.strip("=:") == "" and word != ""
        if made and word and (is_mark or joins):
            made[-1] += _unquoted(word)
        else:
            made.append(_unquoted(word))
        joins = is_mark
    return made


def _unquoted(word: str) -> str:
    if word[:1] in ("'", '"'):
        return word[1:-1] if len(word) > 1 and word[-1] == word[0] else word[1:]
    return word.replace("\\", "")


def answer_lines(
    shell: str, typed: str, found: dict[str, str], *, files: bool = False
) -> list[str]:
    """The answer for a shell: the candidates with their meanings.

    bash replaces only what follows the last ``=`` or ``:`` of the word that was ``typed``.
    """
    mark = max(typed.rfind("="), typed.rfind(":")) + 1 if shell == "bash" else 0
    lines = [
        f"{value[mark:]}\t{meaning}" if meaning else value[mark:]
        for value, meaning in found.items()
        if value.startswith(typed) and value.isprintable()
    ]
    return [*lines, FILES] if files else lines
