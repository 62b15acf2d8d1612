/**
 * The options by which well-known servers are told their ports. A number without such an option is not judged: it may
 * be the port of another server. To add a server, add a row. Pure.
 */
import type { ListenPlace } from '../core/same-address.ts';

/** One server, or several with the same options. */
interface KnownServer {
  /** Matches the name of the program, without its folder. */
  readonly name: RegExp;
  /** Options whose value is a port or an address with a port. */
  readonly ports: readonly string[];
  /** Options whose value is the host of these ports. */
  readonly hosts?: readonly string[];
  /** True if a number without an option is the port; it is 8000 without one. */
  readonly isBarePort?: boolean;
  /** Matches the arguments that make the program a server, with a blank before and after each. */
  readonly when?: RegExp;
}

const SERVERS: readonly KnownServer[] = [
  { name: /^(?:redis|valkey|keydb)-(?:server|sentinel)$/, ports: ['--port'], hosts: ['--bind'] },
  { name: /^memcached$/, ports: ['-p', '--port'], hosts: ['-l', '--listen'] },
  { name: /^mongo[ds]$/, ports: ['--port'], hosts: ['--bind_ip'] },
  { name: /^(?:mysqld|mariadbd)(?:_safe|-safe)?$/, ports: ['--port', '-P'], hosts: ['--bind-address'] },
  { name: /^postgres$/, ports: ['-p'], hosts: ['-h'] },
  { name: /^mosquitto$/, ports: ['-p'] },
  { name: /^sshd$/, ports: ['-p'] },
  { name: /^uvicorn$/, ports: ['--port'], hosts: ['--host'] },
  { name: /^(?:gunicorn(?:3|_django|_paster)?|hypercorn)$/, ports: ['-b', '--bind'] },
  { name: /^daphne$/, ports: ['-p', '--port'], hosts: ['-b', '--bind'] },
  { name: /^waitress-serve$/, ports: ['--port', '--listen'], hosts: ['--host'] },
  { name: /^flask$/, ports: ['-p', '--port'], hosts: ['-h', '--host'], when: / run / },
  { name: /^celery$/, ports: ['--port'], hosts: ['--address'], when: / flower / },
  { name: /^streamlit$/, ports: ['--server.port'], hosts: ['--server.address'] },
  { name: /^uwsgi$/, ports: ['--http', '--http-socket', '--socket', '-s'] },
  { name: /^puma$/, ports: ['-p', '--port', '-b', '--bind'] },
  { name: /^rails$/, ports: ['-p', '--port'], hosts: ['-b', '--binding'], when: / (?:s|server) / },
  { name: /^(?:rackup|thin|unicorn)$/, ports: ['-p', '--port'], hosts: ['-o', '--host', '-a', '--address'] },
  { name: /^php[\d.]*$/, ports: ['-S'] },
  { name: /^php[\d.]*$/, ports: ['--port'], hosts: ['--host'], when: /artisan (?:serve|octane:start) / },
  { name: /^http\.server$/, ports: [], hosts: ['-b', '--bind'], isBarePort: true },
  { name: /^java$/, ports: ['--server.port', '-Dserver.port'] },
  { name: /^(?:prometheus|alertmanager|pushgateway|[a-z]+_exporter)$/, ports: ['--web.listen-address'] },
  { name: /^(?:ttyd|gotty)$/, ports: ['-p', '--port'] },
  { name: /^(?:x11vnc|x0vncserver|Xvnc|Xtigervnc)$/, ports: ['-rfbport'] },
];

/** Options with which several processes may listen at one port. */
const SHARING = /^--?reuse[-_]?port/;

/** An address that a server listens at. The host is empty if it is not given. */
export interface Listened extends ListenPlace {
  /** The option that has the port. */
  readonly option: string;
}

/** Returns the addresses that a command listens at, as far as its options name ports of a well-known server. */
export function findPorts(argv: readonly string[]): Listened[] {
  const [program = '', ...args] = withoutRunner(argv);
  if (args.some((arg) => SHARING.test(arg))) return [];
  const name = baseName(program);
  const text = ` ${args.join(' ')} `;
  return SERVERS.filter((server) => server.name.test(name) && server.when?.test(text) !== false).flatMap((server) => {
    const host = valuesOf(args, server.hosts ?? [])[0]?.value ?? '';
    const bare =
      server.isBarePort === true ? [{ option: 'port', value: args.find((arg) => /^\d+$/.test(arg)) ?? '8000' }] : [];
    return [...valuesOf(args, server.ports), ...bare].flatMap(({ option, value }) => {
      const [, own = host, digits] = ADDRESS.exec(value) ?? [];
      const port = Number(digits);
      return port > 0 && port <= LAST_PORT ? [{ host: own.replace(/^\[|\]$/g, ''), port, option }] : [];
    });
  });
}

const LAST_PORT = 65_535;
const ADDRESS = /^(?:(?:tcp|https?):\/\/)?(?:(\[[^\]]*\]|[^:/[\]]*):)?(\d{1,5})(?:[/?].*)?$/;

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Removes a program that only starts the next one: `python -m uvicorn`, `python3 /app/bin/gunicorn`, `bundle exec`. */
function withoutRunner(argv: readonly string[]): readonly string[] {
  const [first = '', second = ''] = argv;
  const name = baseName(first);
  if (name === 'env') {
    const start = argv.findIndex((word, index) => index > 0 && !word.includes('='));
    return start === -1 ? [] : withoutRunner(argv.slice(start));
  }
  if (/^python[\d.]*$/.test(name)) return argv.slice(second === '-m' ? 2 : 1);
  if (/^(?:poetry|pipenv|uv|pdm)$/.test(name) && second === 'run') return argv.slice(2);
  if (name === 'bundle' && second === 'exec') return argv.slice(2);
  return argv;
}

/** Returns the values of options: `--port 80`, `--port=80`, `-p 80`, `-p80`. */
function valuesOf(args: readonly string[], options: readonly string[]): Array<{ option: string; value: string }> {
  return args.flatMap((arg, index) => {
    for (const option of options) {
      if (arg === option) return [{ option, value: args[index + 1] ?? '' }];
      if (arg.startsWith(`${option}=`)) return [{ option, value: arg.slice(option.length + 1) }];
      if (option.length === 2 && arg.startsWith(option) && !arg.startsWith('--'))
        return [{ option, value: arg.slice(2) }];
    }
    return [];
  });
}
