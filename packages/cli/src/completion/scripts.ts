/** Shells that have a script. */
export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

// Each hands the words up to the cursor to `xr complete --` and reads its answer, see respond.ts. What was typed is never evaluated.

const bash = `# completion of xr for bash
_xr() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :0) compopt -o default 2>/dev/null ;;
      :*) ;;
      *) COMPREPLY+=("\${line%%$'\\t'*}") ;;
    esac
  done < <(xr complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _xr xr
`

const zsh = `#compdef xr
# completion of xr for zsh
_xr() {
  local line files
  local -a found
  while IFS= read -r line; do
    case $line in
      :0) files=yes ;;
      :*) ;;
      *) found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
    esac
  done < <(xr complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  (( $#found )) && _describe xr found
  [[ -n $files ]] && _files
}
if [[ \${funcstack[1]} == _xr ]]; then _xr "$@"; else compdef _xr xr; fi
`

const fish = `# completion of xr for fish
function __xr_complete
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    for line in (xr complete -- $before[2..-1] "$current" 2>/dev/null)
        switch $line
            case ':0'
                __fish_complete_path "$current"
            case ':*'
            case '*'
                echo $line
        end
    end
end
complete -c xr -f -a '(__xr_complete)'
`

/** What makes the shell complete xr, by shell. */
export const scripts: Readonly<Record<Shell, string>> = { bash, zsh, fish }
