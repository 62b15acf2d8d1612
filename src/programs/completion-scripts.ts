/**
 * The scripts for the completion of bash, zsh and fish. Each asks the executable for the words that fit
 * (`onevisor completion words`), so the scripts know no command.
 */

/** Names of shells with a script. */
export const shellNames = ['bash', 'zsh', 'fish'] as const;

export type ShellName = (typeof shellNames)[number];

/** Quotes a path for all three shells. */
function quote(path: string): string {
  return `'${path.replaceAll('\\', '\\\\').replaceAll("'", "'\\''")}'`;
}

const SCRIPTS: Readonly<Record<ShellName, (executable: string) => string>> = {
  bash: (executable) => `# Completion of onevisor and supervisorctl in bash: source <(onevisor completion bash)
_onevisor() {
  local word
  COMPREPLY=()
  while IFS= read -r word; do
    case $word in
      :file) compopt -o default 2>/dev/null ;;
      :directory) compopt -o dirnames 2>/dev/null ;;
      *) COMPREPLY+=("$word") ;;
    esac
  done < <(${executable} completion words bash "\${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null)
}
complete -F _onevisor onevisor supervisorctl
`,
  zsh: (executable) => `#compdef onevisor supervisorctl
# Completion of onevisor and supervisorctl in zsh: source <(onevisor completion zsh), after compinit
_onevisor() {
  local word help
  local -a found shown
  while IFS=$'\\t' read -r word help; do
    case $word in
      :file) _files ;;
      :directory) _files -/ ;;
      *) found+=("$word"); shown+=("$word\${help:+ -- $help}") ;;
    esac
  done < <(${executable} completion words zsh "\${(@Q)words[1,CURRENT-1]}" "\${(Q)words[CURRENT]}" 2>/dev/null)
  (( $#found )) && compadd -l -d shown -a found
}
if [[ \${funcstack[1]} == _onevisor ]]; then
  _onevisor "$@"
elif (( \${+functions[compdef]} )); then
  compdef _onevisor onevisor supervisorctl
fi
`,
  fish: (executable) => `# Completion of onevisor and supervisorctl in fish: onevisor completion fish | source
function __onevisor_words
    set -l current (commandline -ct)
    for line in (${executable} completion words fish (commandline -opc) "$current" 2>/dev/null)
        switch $line
            case ':file*'
                __fish_complete_path "$current"
            case ':directory*'
                __fish_complete_directories "$current"
            case '*'
                echo $line
        end
    end
end
complete -c onevisor -f -a '(__onevisor_words)'
complete -c supervisorctl -f -a '(__onevisor_words)'
`,
};

/** Returns the script for a shell. `executable` is the path of the executable that the script asks. */
export function completionScript(shell: ShellName, executable: string): string {
  return SCRIPTS[shell](quote(executable));
}
